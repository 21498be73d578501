"""The screens of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.cloud.models import Machine
from actors.cloud.nodes import Nodes
from actors.cloud.states import GONE
from portalfw.console import Consoles, Screen
from portalfw.errors import NotFoundError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

SCRIPT = "libvirt/openconsole"


class MachineConsoles:
    """Issues addresses at which machines can be looked at."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._nodes = runtime.service(Nodes)
        self._consoles = runtime.service(Consoles)

    def url(self, machine_id: int, address: str, typing: str, *, user: str, origin: str) -> str | None:
        """Return the address of a machine's console for one user, once; None unless the machine runs.

        :param address: of the method that is called, by which the browser gets another.
        :param typing: the right to do more than look.
        :param origin: what the user's browser calls the portal.
        :raises NotFoundError: if there is no such machine any more.
        """
        machine = Machine.get(machine_id)
        if machine.status in GONE:
            raise NotFoundError(f"Machine {machine_id} does not exist.")
        if machine.status != "RUNNING":
            return None
        screen = Screen(
            title=machine.name,
            node_id=self._nodes.of_stack(machine.stack_id),
            script=SCRIPT,
            args={"name": self._nodes.names.machine(machine_id)},
            typing=typing,
            address=address,
            given={"machineId": machine_id},
            tags=(f"machineId:{machine_id}",),
        )
        return self._consoles.issue(screen, user, origin)
