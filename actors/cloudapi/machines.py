"""Machines as their users see them."""

from __future__ import annotations

from typing import Annotated, Any

from actors.cloud.access import held_by, may_read_cloudspace
from actors.cloud.consoles import MachineConsoles
from actors.cloud.machines import Machines as Service
from actors.cloud.machines import MachineWish
from actors.cloud.models import Machine
from actors.cloud.statistics import MachineStatistics, machine_statistics
from actors.cloudapi.answers.machines import MachineDetail, MachineRow, machine_detail, machine_list
from actors.cloudapi.arguments import (
    CloudspaceId,
    DataDisks,
    DiskSize,
    ImageId,
    Include,
    Memory,
    SizeId,
    StatisticsFrom,
    StatisticsTill,
    Userdata,
    Vcpus,
)
from actors.cloudapi.columns import MACHINES
from portalfw.errors import InvalidError
from portalfw.rest import Actor, Arg, Listing, method


class Machines(Actor, app="cloudapi"):
    """Virtual machines of a cloudspace."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("machine",))
    def list_(
        self, cloudspace_id: CloudspaceId | None = None, *, listing: Annotated[Listing, MACHINES]
    ) -> list[MachineRow]:
        """List the machines of a cloudspace that you may see."""
        if not cloudspace_id:
            raise InvalidError("Argument cloudspaceId is missing.", detail={"argument": "cloudspaceId"})
        query: dict[str, Any] = {"cloudspace_id": cloudspace_id, "live": True}
        if not may_read_cloudspace(self.call.principal, cloudspace_id):
            query["acl"] = held_by(self.call.principal)
        rows = listing.of(Machine, query)
        return rows.answered(machine_list(rows))

    @method(right="machine:R", readonly=True, http=("GET", "POST"), live=("machine:{machine_id}", "disk"))
    def get(self, machine_id: int) -> MachineDetail:
        """Show one machine."""
        return machine_detail(Machine.rows({"_id": machine_id})[0])

    @method(right="machine:R", readonly=True, http=("GET", "POST"), title="Statistics of a machine")
    def stats(
        self,
        machine_id: int,
        include: Include = None,
        from_: StatisticsFrom = None,
        till: StatisticsTill = None,
    ) -> MachineStatistics:
        """Show what a machine took of its node over time. Of long spans in longer steps."""
        return machine_statistics(machine_id, include or ["cpu"], from_, till)

    @method(right="cloudspace:C", creates="machineId", title="Create machine")
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
        return self.service(Service).create(wish)

    @method(right="machine:X", title="Start machine")
    def start(
        self,
        machine_id: int,
        disk_id: Annotated[int | None, Arg("CD-ROM")] = None,  # noqa: ARG002 - no CD-ROMs yet
    ) -> bool:
        """Start a halted machine."""
        self.service(Service).start(machine_id)
        return True

    @method(right="machine:X", title="Stop machine")
    def stop(
        self,
        machine_id: int,
        force: Annotated[bool, Arg("Force", help="Cut the power without asking the guest.")] = False,
    ) -> bool:
        """Stop a running machine."""
        self.service(Service).stop(machine_id, force=force)
        return True

    @method(right="machine:R", live=("machine:{machine_id}",), secret=True, minor=True, title="Open console")
    def get_console_url(self, machine_id: int) -> str | None:
        """Return the address of a page with the machine's screen: for you, for once, and within five minutes.

        Nothing while the machine does not run. Who has no right X on it may look, but not press keys.
        """
        address = "cloudapi/machines/getConsoleUrl"
        user, origin = self.call.principal.name, self.call.origin
        return self.service(MachineConsoles).url(machine_id, address, "machine:X", user=user, origin=origin)

    @method(right="cloudspace:X", destructive=True, title="Delete machine")
    def delete(self, machine_id: int, permanently: bool = False) -> bool:  # noqa: ARG002 - no bin yet
        """Delete a machine with its disks and port forwards."""
        self.service(Service).destroy(machine_id, f"Deleted by {self.call.principal.name}.")
        return True
