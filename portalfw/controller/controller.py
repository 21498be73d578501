"""The Agent Controller of one process: its parts, put together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import flask

from portalfw.controller import retention
from portalfw.controller.nodes import Nodes
from portalfw.controller.orders import Orders
from portalfw.controller.parking import Parking
from portalfw.controller.queue import LEASE, JobQueue
from portalfw.controller.schedules import Schedules
from portalfw.controller.scripts import ScriptStore
from portalfw.controller.standing import StandingOrders
from portalfw.controller.wake import Wake
from portalfw.pki import Authority
from portalfw.statistics import Intake
from portalfw.statistics.levels import ensure_levels

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

LOCAL_ROLES: Final = ("node", "cpunode", "storagenode")
"""What the agent beside an all-in-one master may be used for: everything."""

NODE_CHECKS: Final = "monitor.healthcheck"
"""The category of scripts that check nodes; a setting says whether they begin by themselves."""


class Controller:
    """Nodes, scripts, jobs and parked questions. Any number of processes may run one against one database."""

    local_roles = LOCAL_ROLES

    def __init__(self, runtime: Runtime, lease: float = LEASE) -> None:
        """Put the parts together; :meth:`start` begins. ``lease`` in seconds."""
        self.files: Path = runtime.settings.state_folder / "images"
        self.authority = Authority(runtime.settings)
        self.nodes = Nodes()
        self.scripts = ScriptStore(runtime.content.folders)
        self.wake = Wake(runtime.bus)
        self.queue = JobQueue(self.scripts, self.wake, lease)
        self.orders = Orders(self.queue)
        off = frozenset() if runtime.settings.node_checks else frozenset({NODE_CHECKS})
        self.schedules = Schedules(self.orders, off)
        self.standing = StandingOrders()
        self.parking = Parking(self.queue, self.nodes, self.standing)
        self.statistics = Intake()

    def start(self) -> None:
        """Load the JumpScripts, make what statistics need, and begin to listen to the bus, which must run."""
        ensure_levels()
        self.load_scripts()
        self.wake.start()
        self.schedules.start()
        self.standing.start(self.parking.outdated)

    def load_scripts(self) -> list[str]:
        """Read the JumpScripts and their schedules anew; return the names of the broken ones."""
        broken = self.scripts.load()
        self.schedules.sync()
        return broken

    def stop(self) -> None:
        """Stop listening."""
        self.schedules.stop()
        self.standing.stop()
        self.parking.stop()
        self.wake.stop()

    def sweep(self) -> None:
        """End what time has overtaken; a duty of one process, every second."""
        self.nodes.sweep()
        self.queue.sweep()
        self.orders.place()

    def tidy(self) -> None:
        """Drop old jobs, and have old credentials replaced; a duty of one process, every minute."""
        retention.purge()
        self.nodes.rotate_old()

    def blueprint(self) -> flask.Blueprint:
        """Return the agents' addresses, below ``/agent/``."""
        from portalfw.controller.http import blueprint

        return blueprint(self)

    def connected_nodes(self) -> int:
        """Return how many nodes are there now."""
        return self.nodes.connected()

    def local_join_token(self, folder: Path) -> str | None:
        """Return a join token for the agent that keeps its things in ``folder``; None if its node is known.

        A credential of another database (this one was made anew) is removed.
        """
        file = folder / "credential"
        if file.exists():
            credential = json.loads(file.read_bytes())["credential"]
            if self.nodes.known(credential) is not None:
                return None
            file.unlink()
        return self.nodes.create_token(roles=LOCAL_ROLES, created_by="local")
