"""A real controller on a loopback port and real agent processes, for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import gevent
from gevent.pool import Pool

from portalfw.content import Content
from portalfw.controller import Controller
from portalfw.controller.documents import Node
from portalfw.controller.http import short_ways
from portalfw.dal.local import LocalDatacenter
from portalfw.events import EventBus
from portalfw.settings import Settings
from portalfw.web.server import Server, listen
from portalfw.web.short import Request, Short
from portalfw.web.traffic import Traffic

ROOT = Path(__file__).resolve().parent.parent.parent
BROKEN = {
    "broken": "descr = 'Not Python'\n\ndef action(:\n",
    "computed": "\n\ndescr = 'Header' + str(1)\n\ndef action(): ...\n",
}
SCRIPTS = Path(__file__).parent / "scripts"


def wait_for(condition: Callable[[], Any], limit: float = 30.0, what: str = "") -> Any:
    """Return the condition's value once it is true; fail after ``limit`` seconds."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {limit} s: {what or condition}"
        gevent.sleep(0.01)
    return value


@dataclass
class Parts:
    """What a controller needs of its runtime."""

    settings: Any
    content: Content
    bus: EventBus


class Master:
    """One controller process's worth: its own event bus, controller and HTTP server."""

    def __init__(self, database: Any, state: Path, content: Path, port: int, lease: float) -> None:
        """Listen on a port, any if it is 0."""
        self.bus = EventBus(database)
        self.bus.start()
        parts = Parts(Settings(state=state), Content([content]), self.bus)
        self.controller = Controller(parts, lease=lease)
        self.controller.start()
        self.dal = LocalDatacenter(self.controller.queue)
        app = flask.Flask(__name__)
        self.refuse: list[str] = []
        app.before_request(self._refuse)
        app.register_blueprint(self.controller.blueprint())
        self.server = Server(listen("127.0.0.1", port), app, short=_Short(self, app))
        self.server.set_spawn(Pool())  # so that stopping cuts the connections too
        self.server.start()
        self.port = self.server.server_port
        self.sweeping = gevent.spawn(self._sweep)

    def _refuse(self) -> tuple[str, int] | None:
        """Answer 503 to the next request whose body holds the first word of ``refuse``."""
        if self.refuse and self.refuse[0].encode() in flask.request.get_data():
            self.refuse.pop(0)
            return "the database is electing", 503
        return None

    def _sweep(self) -> None:
        while True:
            gevent.sleep(0.2)
            self.controller.sweep()

    def stop(self) -> None:
        """Vanish as a killed process would: connections are cut."""
        self.sweeping.kill()
        self.server.stop(timeout=0)
        self.controller.stop()
        self.bus.stop()


class _Short(Short):
    """The short way of a master, except while it is to refuse something."""

    def __init__(self, master: Master, app: flask.Flask) -> None:
        super().__init__(short_ways(master.controller), Traffic(app))
        self._master = master

    def take(self, data: bytes) -> Request | None:
        return None if self._master.refuse else super().take(data)


class Grid:
    """A master and its agents."""

    def __init__(self, database: Any, folder: Path, content: Path = SCRIPTS, lease: float = 60.0) -> None:
        """Start a master that keeps its things in a folder."""
        self._database = database
        self.folder = folder
        self._content = folder / "content"
        shutil.copytree(content, self._content)
        for name, source in BROKEN.items():
            (self._content / "jumpscripts" / "test" / f"{name}.py").write_text(source)
        self._lease = lease
        self.state = folder / "master"
        (self.state / "images").mkdir(parents=True)
        self.agents: list[subprocess.Popen[bytes]] = []
        self.master = self._start_master(0)

    def _start_master(self, port: int) -> Master:
        return Master(self._database, self.state, self._content, port, self._lease)

    @property
    def controller(self) -> Controller:
        return self.master.controller

    @property
    def dal(self) -> LocalDatacenter:
        return self.master.dal

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.master.port}"

    def write_script(self, name: str, text: str) -> None:
        """Add a script and have the controller load it."""
        (self._content / "jumpscripts" / "test" / f"{name}.py").write_text(text)
        self.controller.load_scripts()

    def restart_master(self, while_down: Callable[[], Any] = lambda: None) -> None:
        """Stop the master and start another one on the same port."""
        port = self.master.port
        self.master.stop()
        while_down()
        self.master = self._start_master(port)

    def start_agent(
        self, name: str = "one", token: str | None = "", *options: str, hypervisor: str = "test"
    ) -> subprocess.Popen[bytes]:
        """Start an agent; ``token`` empty makes a good one if the agent needs it, None gives none."""
        state = self.folder / name
        if token == "":
            token = self.controller.nodes.create_token(roles=["node"])
        command = [sys.executable, "-m", "agent", "--controller", self.url, "--state", str(state)]
        command += ["--hypervisor", hypervisor, "--die-with-parent", "--grace", "0.5", "--log", "debug", *options]
        environment = {**os.environ, "PORTALFW_JOIN_TOKEN": token or "", "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{name}.log").open("ab") as log:
            agent = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT)
        self.agents.append(agent)
        return agent

    def log(self, name: str = "one") -> str:
        return (self.folder / f"{name}.log").read_text()

    def connect(self, name: str = "one") -> Any:
        """Start an agent and return the handle of its node once it is there."""
        self.start_agent(name)
        return self.dal.node(self.connected_node())

    def connected_node(self) -> int:
        return wait_for(lambda: Node.rows({"connected": True}), limit=60, what="an agent connects")[-1]["id"]

    def close(self) -> None:
        for agent in self.agents:
            if agent.poll() is None:
                agent.terminate()
        for agent in self.agents:
            try:
                agent.wait(10)
            except subprocess.TimeoutExpired:
                agent.kill()
                agent.wait()
        self.master.stop()
