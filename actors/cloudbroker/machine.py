"""Machines, for operators."""

from __future__ import annotations

from typing import Annotated, Any

from actors.cloud.consoles import MachineConsoles
from actors.cloud.directory import one
from actors.cloud.machines import Machines, MachineWish
from actors.cloud.models import NOT_GONE, Cloudspace, PortForward
from actors.cloud.models import Machine as Model
from actors.cloud.portforwards import PortForwards
from actors.cloud.statistics import MachineStatistics, machine_statistics
from actors.cloudapi.answers.machines import MachineDetail, MachineRow, machine_detail, machine_list
from actors.cloudapi.answers.networks import PortForwardRow, port_forward_list
from actors.cloudapi.arguments import (
    DataDisks,
    DiskSize,
    Include,
    Memory,
    Protocol,
    SizeId,
    StatisticsFrom,
    StatisticsTill,
    Userdata,
    Vcpus,
)
from actors.cloudapi.columns import MACHINES, PORT_FORWARDS
from actors.cloudbroker.arguments import OPERATORS, CloudspaceId, ImageId, MachineId, Reason
from portalfw.rest import Actor, Arg, Listing, method


class Machine(Actor, app="cloudbroker"):
    """Virtual machines."""

    @method(right=OPERATORS, title="Create machine", creates="machineId")
    def create(
        self,
        cloudspace_id: CloudspaceId,
        name: str,
        image_id: ImageId,
        disksize: DiskSize,
        description: str = "",
        size_id: SizeId = None,
        memory: Memory = None,
        vcpus: Vcpus = None,
        datadisks: DataDisks = None,
        userdata: Userdata = None,
    ) -> int:
        """Make a machine and start it. Returns its id."""
        wish = MachineWish(
            cloudspace_id=cloudspace_id,
            name=name,
            image_id=image_id,
            disk_size=disksize,
            size_id=size_id,
            memory=memory,
            vcpus=vcpus,
            description=description,
            data_disks=datadisks or [],
            userdata=userdata,
        )
        return self.service(Machines).create(wish)

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("machine",))
    def list_(
        self,
        cloudspace_id: int | None = None,
        account_id: int | None = None,
        stack_id: int | None = None,
        image_id: int | None = None,
        *,
        listing: Annotated[Listing, MACHINES],
    ) -> list[MachineRow]:
        """List the machines, those that could not be made too; of one cloudspace, account, stack or image if asked."""
        given = {"cloudspace_id": cloudspace_id, "account_id": account_id, "stack_id": stack_id, "image_id": image_id}
        query: dict[str, Any] = {name: value for name, value in given.items() if value}
        rows = listing.of(Model, query | NOT_GONE)
        return rows.answered(machine_list(rows))

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("machine:{machine_id}", "disk"))
    def get(self, machine_id: MachineId) -> MachineDetail:
        """Show one machine, a gone one too."""
        return machine_detail(one(Model, machine_id))

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), title="Statistics of a machine")
    def stats(
        self,
        machine_id: MachineId,
        include: Include = None,
        from_: StatisticsFrom = None,
        till: StatisticsTill = None,
    ) -> MachineStatistics:
        """Show what a machine took of its node over time. Of long spans in longer steps."""
        return machine_statistics(one(Model, machine_id)["id"], include or ["cpu"], from_, till)

    @method(right=OPERATORS)
    def start(
        self,
        machine_id: MachineId,
        reason: Reason = "",  # noqa: ARG002 - the audit record keeps it
        disk_id: Annotated[int | None, Arg("CD-ROM")] = None,  # noqa: ARG002 - no CD-ROMs yet
    ) -> bool:
        """Start a halted machine."""
        self.service(Machines).start(machine_id)
        return True

    @method(right=OPERATORS)
    def stop(
        self,
        machine_id: MachineId,
        reason: Reason = "",  # noqa: ARG002 - the audit record keeps it
        force: Annotated[bool, Arg("Force", help="Cut the power without asking the guest.")] = False,
    ) -> bool:
        """Stop a running machine."""
        self.service(Machines).stop(machine_id, force=force)
        return True

    @method(right=OPERATORS, live=("machine:{machine_id}",), secret=True, minor=True, title="Open console")
    def get_console_url(self, machine_id: MachineId) -> str | None:
        """Return the address of a page with the machine's screen: for you, for once, and within five minutes.

        Nothing while the machine does not run.
        """
        address = "cloudbroker/machine/getConsoleUrl"
        user, origin = self.call.principal.name, self.call.origin
        return self.service(MachineConsoles).url(machine_id, address, OPERATORS, user=user, origin=origin)

    @method(right=OPERATORS, destructive=True, title="Delete machine")
    def destroy(
        self,
        machine_id: MachineId,
        reason: Reason = "",
        permanently: bool = False,  # noqa: ARG002 - no bin yet
    ) -> bool:
        """Delete a machine with its disks and port forwards."""
        self.service(Machines).destroy(machine_id, reason or f"Deleted by {self.call.principal.name}.")
        return True

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("port_forward",))
    def list_port_forwards(
        self, machine_id: MachineId, listing: Annotated[Listing, PORT_FORWARDS]
    ) -> list[PortForwardRow]:
        """List the port forwards of a machine."""
        rows = listing.of(PortForward, {"machine_id": machine_id})
        return rows.answered(port_forward_list(rows))

    @method(right=OPERATORS, title="Add port forward")
    def create_port_forward(
        self,
        machine_id: MachineId,
        local_port: Annotated[int, Arg("Local port", help="Port of the machine.")],
        dest_port: Annotated[int, Arg("Public port", help="Port of the cloudspace's external address.")],
        proto: Protocol = "tcp",
    ) -> int:
        """Forward a port of the cloudspace's external address to a machine. Returns the rule's id."""
        return self.service(PortForwards).create(
            cloudspace_id=one(Model, machine_id)["cloudspace_id"],
            public_ip=None,
            public_port=dest_port,
            machine_id=machine_id,
            local_port=local_port,
            protocol=proto,
        )

    @method(right=OPERATORS, destructive=True)
    def delete_port_forward(
        self,
        machine_id: MachineId,
        public_port: int,
        proto: Protocol = "tcp",
        public_ip: Annotated[str | None, Arg("Public IP", help="The cloudspace's own if empty.")] = None,
    ) -> bool:
        """Remove a port forward of a machine's cloudspace."""
        cloudspace = one(Cloudspace, one(Model, machine_id)["cloudspace_id"])
        self.service(PortForwards).delete_by_port(
            cloudspace["id"], public_ip or cloudspace["external_ip"], public_port, proto
        )
        return True
