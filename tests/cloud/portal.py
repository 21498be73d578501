"""A whole portal in this process, with the shipped actors and a real agent on libvirt's simulated driver."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pymongo.monitoring
import requests
from gevent.pool import Pool
from product import free_port

from actors.cloud.accounts import Accounts
from actors.cloud.models import Account, Cloudspace, ExternalNetwork, Image, Machine, Stack
from portalfw.auth import tokens
from portalfw.auth.users import create_user
from portalfw.cli.local_agent import LocalAgent
from portalfw.cli.state import StateFolder
from portalfw.controller.documents import Node
from portalfw.events import EventBus
from portalfw.runtime import Runtime
from portalfw.settings import Settings
from portalfw.web.app import create_app
from portalfw.web.server import Server, listen

_numbers = itertools.count(1)
UNLIMITED = {"CU_M": -1, "CU_C": -1, "CU_D": -1, "CU_NP": -1, "CU_I": -1}


class Queries(pymongo.monitoring.CommandListener):
    """Counts what is asked of the database, for the tests that bound it."""

    def __init__(self) -> None:
        self.found: list[str] | None = None

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        if self.found is not None and event.command_name in {"find", "aggregate", "count", "distinct"}:
            self.found.append(f"{event.command_name} {event.command[event.command_name]}")

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        """Need nothing of it."""

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        """Need nothing of it."""

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        self.found = found = []
        yield found
        self.found = None


QUERIES = Queries()
pymongo.monitoring.register(QUERIES)


class Portal:
    """The product's parts, put together as ``portalfw up`` does it, but reachable for a test."""

    def __init__(self, database: Any, folder: Path) -> None:
        """Start everything; the portal is ready with its agent when this returns."""
        self.settings = Settings(state=folder, port=free_port(), hypervisor="test")
        self.state = StateFolder(folder)
        self.state.__enter__()
        self.runtime = Runtime(self.settings, database)
        self.runtime.start()
        self.server = Server(listen("127.0.0.1", self.settings.port), create_app(self.runtime))
        self.server.set_spawn(Pool())
        self.server.start()
        self.agent = LocalAgent(self.settings, self.runtime)
        self.agent.start()
        wait_for(self.runtime.controller.connected_nodes, what="the agent connects")
        self.admin = self.user("admin", "admin")

    def stop(self) -> None:
        self.agent.stop()
        self.server.stop(timeout=0)
        self.runtime.stop()
        self.state.__exit__(None, None, None)

    @property
    def bus(self) -> EventBus:
        return self.runtime.bus

    def user(self, name: str, *groups: str) -> str:
        """Create a user and return a token that speaks for it."""
        create_user(name, f"{name}-password", groups=list(groups))
        return tokens.create_token(name, "test")

    def call(self, address: str, token: str | None = None, **arguments: Any) -> requests.Response:
        """POST a call as the administrator or the owner of ``token``."""
        headers = {"Authorization": f"Bearer {token or self.admin}"}
        url = f"http://127.0.0.1:{self.settings.port}/restmachine/{address}"
        return requests.post(url, json=arguments, headers=headers, timeout=120)

    def ask(self, address: str, token: str | None = None, **arguments: Any) -> Any:
        """Call and return the answer; a failure fails the test with the server's words."""
        response = self.call(address, token, **arguments)
        assert response.status_code == 200, f"{address}: {response.status_code} {response.text}"
        return response.json()

    def refused(self, status: int, address: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Call, expect an error status, and return the error's body."""
        response = self.call(address, token, **arguments)
        assert response.status_code == status, f"{address}: {response.status_code} {response.text}"
        body: dict[str, Any] = response.json()
        return body

    def account(self, administrator: str = "admin") -> int:
        """Make an account of a new name."""
        found = self.runtime.service(Accounts).create(f"account {next(_numbers)}", administrator, dict(UNLIMITED))
        return int(found.id)

    def cloudspace(self, account_id: int, token: str | None = None, **arguments: Any) -> int:
        """Make a cloudspace and wait until it is DEPLOYED."""
        given = {"location": "local", "name": f"space {next(_numbers)}", "access": "admin"} | arguments
        space = self.ask("cloudapi/cloudspaces/create", token, accountId=account_id, **given)
        wait_for(
            lambda: Cloudspace.get(space).status not in {"VIRTUAL", "DEPLOYING"}, what="the cloudspace is deployed"
        )
        assert Cloudspace.get(space).status == "DEPLOYED", Cloudspace.get(space).status_reason
        return int(space)

    def wish(self, space: int, **arguments: Any) -> dict[str, Any]:
        """Return the arguments of a machine's creation that is fine."""
        image = Image.rows({"name": "tiny"})[0]["id"]
        fine = {
            "cloudspaceId": space,
            "name": f"machine {next(_numbers)}",
            "imageId": image,
            "sizeId": 7,
            "disksize": 1,
        }
        return {name: value for name, value in (fine | arguments).items() if value is not None}

    def machine(self, space: int, **arguments: Any) -> int:
        """Make a machine."""
        return int(self.ask("cloudapi/machines/create", **self.wish(space, **arguments)))

    def network(self, free: int) -> int:
        """Make an external network with a number of free addresses."""
        number = next(_numbers)
        base = f"10.77.{number}"
        made = self.ask(
            "cloudbroker/iaas/addExternalNetwork",
            name=f"network {number}",
            subnet=f"{base}.0/24",
            gateway=f"{base}.1",
            startip=f"{base}.10",
            endip=f"{base}.{9 + free}",
        )
        return int(made)

    def stop_agent(self) -> None:
        """Stop the agent and wait until the controller knows."""
        self.agent.stop()
        wait_for(lambda: not Node.rows({"connected": True}), what="the controller notices that the agent is gone")

    def start_agent(self) -> None:
        """Start the agent again and wait until it is there."""
        self.agent.start()
        wait_for(self.runtime.controller.connected_nodes, what="the agent comes back")


def held(machine_id: int) -> dict[str, Any]:
    """Return everything that a machine still holds: address, memory, disks, forwards, something on its node."""
    from actors.cloud.models import Disk, PortForward

    return {
        "address": Cloudspace.rows({"leases.machine_id": machine_id}, fields=["_id"]),
        "memory": Stack.rows({"claims.machine_id": machine_id}, fields=["_id"]),
        "disks": Disk.rows({"machine_id": machine_id, "live": True}, fields=["status"]),
        "forwards": PortForward.rows({"machine_id": machine_id}, fields=["_id"]),
        "on_node": Machine.get(machine_id).on_node,
    }


NOTHING: dict[str, Any] = {"address": [], "memory": [], "disks": [], "forwards": [], "on_node": False}


def wait_for(condition: Callable[[], Any], seconds: float = 20.0, what: str = "the condition") -> Any:
    """Return the first true value of ``condition()``; fail when there is none within ``seconds``."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, f"not within {seconds:.0f} s: {what}"
        gevent.sleep(0.02)
    return value


__all__ = ["NOTHING", "QUERIES", "Account", "ExternalNetwork", "Portal", "held", "wait_for"]
