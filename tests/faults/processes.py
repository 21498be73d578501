"""The processes of the fault test: controllers and agents that are killed and start again, a proxy between them."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import requests
from product import COMMAND, REPOSITORY, free_port, run

from portalfw import child

HERE = Path(__file__).parent
START_LIMIT = 120.0
LONGEST_DOWN = 3.0
"""Seconds that a killed process stays away at most."""

LONGEST_PAUSE = 4.0
"""Seconds that a process stands still at most."""


class Member:
    """One process that is killed and started again, with the same command."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        """Start it."""
        self.name = name
        self._command = command
        self._environment = {"PYTHONPATH": str(REPOSITORY), **environment}
        self._log = log
        self.busy = False
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = child.start(self._command, output=log, environment=self._environment)

    def kill_and_start(self, down: float) -> None:
        """Kill it at once, and start it again after some seconds."""
        self.busy = True
        self.process.kill()
        self.process.wait()
        gevent.sleep(down)
        self.start()
        self.busy = False

    def stand_still(self, seconds: float) -> None:
        """Let it do nothing for some seconds, as a machine does that swaps."""
        self.busy = True
        self.process.send_signal(signal.SIGSTOP)
        gevent.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)
        self.busy = False

    def last_words(self) -> str:
        return self._log.read_text()[-4000:]

    def end(self) -> None:
        child.stop(self.process, 15)


class Installation:
    """Controllers over one database, agents, and the proxy by which the agents reach the controllers."""

    def __init__(self, folder: Path, mongodb: tuple[str, str], seed: str, controllers: int = 2) -> None:
        """Start the controllers and the proxy; no agent yet."""
        self.folder = folder
        self.journal = folder / "journal"
        self._environment = {"PORTALFW_MONGODB_URI": mongodb[0], "PORTALFW_MONGODB_NAME": mongodb[1]}
        self._environment |= {"PORTALFW_RATE_PER_USER": "0", "PORTALFW_RATE_PER_ADDRESS": "0"}
        self.content = self._make_content()
        self._ports = [free_port() for _ in range(controllers)]
        self.controllers = [self._controller(number) for number in range(controllers)]
        for number in range(controllers):
            self._wait_until_ready(number)
        done = run("token", "create", "--user", "admin", "--state", str(folder / "controller-0"), **self._environment)
        assert done.returncode == 0, done.stderr
        self._headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
        self._entrances = [free_port() for _ in range(controllers)]
        ways = [f"{entrance}:{port}" for entrance, port in zip(self._entrances, self._ports, strict=True)]
        self._proxy = subprocess.Popen(
            [sys.executable, str(HERE / "proxy.py"), seed, "0", *ways],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._proxy.stdout is not None
        assert self._proxy.stdout.readline() == "ready\n"
        self.agents: list[Member] = []

    def _make_content(self) -> Path:
        """Make a content directory with what the test needs, so that controllers start quickly."""
        content = self.folder / "content"
        actors, scripts = content / "actors" / "system", content / "jumpscripts" / "test"
        actors.mkdir(parents=True)
        scripts.mkdir(parents=True)
        for name in ("agentcontroller.py", "gridjobs.py"):
            shutil.copy(REPOSITORY / "actors" / "system" / name, actors)
        again = (HERE / "scripts" / "again.py").read_text()
        (scripts / "again.py").write_text(again)
        (scripts / "once.py").write_text(again.replace("idempotent = True", "idempotent = False"))
        return content

    def _controller(self, number: int) -> Member:
        name = f"controller-{number}"
        command = [*COMMAND, "master", "--state", str(self.folder / name), "--port", str(self._ports[number])]
        return Member(name, [*command, "--content", str(self.content)], self._environment, self.folder / f"{name}.log")

    def _wait_until_ready(self, number: int) -> None:
        limit = time.monotonic() + START_LIMIT
        while not self._is_ready(number):
            member = self.controllers[number]
            assert member.process.poll() is None, member.last_words()
            assert time.monotonic() < limit, member.last_words()
            gevent.sleep(0.1)

    def _is_ready(self, number: int) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self._ports[number]}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def start_agents(self, count: int, tokens: Callable[[], str]) -> None:
        """Start agents, each with a join token."""
        for number in range(count):
            name = f"agent-{number}"
            command = [sys.executable, "-m", "agent", "--state", str(self.folder / name), "--hypervisor", "test"]
            for entrance in self._entrances:
                command += ["--controller", f"http://127.0.0.1:{entrance}"]
            environment = {"PORTALFW_JOIN_TOKEN": tokens()}
            self.agents.append(Member(name, command, environment, self.folder / f"{name}.log"))

    def ask(self, number: int, address: str, **arguments: Any) -> requests.Response:
        """Call a method at one of the controllers; raises RequestException if that is not there."""
        url = f"http://127.0.0.1:{self._ports[number]}/restmachine/{address}"
        return requests.post(url, json=arguments, headers=self._headers, timeout=30)

    def is_there(self, number: int) -> bool:
        """Tell whether a controller takes connections."""
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self._ports[number])) == 0

    def set_rate(self, rate: float) -> None:
        """Have the proxy make a fault of this share of the requests."""
        assert self._proxy.stdin is not None
        self._proxy.stdin.write(f"{rate}\n")
        self._proxy.stdin.flush()

    def close(self) -> dict[str, Any]:
        """End all processes; return what the proxy counted."""
        for member in (*self.agents, *self.controllers):
            member.end()
        counted = self._proxy.communicate(timeout=15)[0]
        found: dict[str, Any] = json.loads(counted) if counted else {}
        return found


class Killer:
    """Kills and stops processes at random until told to end."""

    def __init__(self, installation: Installation, chance: random.Random) -> None:
        """Choose by ``chance``; nothing happens before :meth:`run`."""
        self._installation = installation
        self._chance = chance
        self._under_way: list[gevent.Greenlet[..., None]] = []
        self.done: Counter[str] = Counter()

    def run(self, until: float) -> None:
        """Go on until this time (monotonic), then bring all processes back."""
        while time.monotonic() < until:
            gevent.sleep(self._chance.uniform(0.5, 4.0))
            kind = self._chance.choice(["agent", "agent", "agent", "controller"])
            members = self._installation.agents if kind == "agent" else self._installation.controllers
            free = [member for member in members if not member.busy]
            if free:
                self._strike(kind, self._chance.choice(free))
        gevent.joinall(self._under_way, raise_error=True)

    def _strike(self, kind: str, member: Member) -> None:
        if self._chance.random() < 0.75:
            self.done[f"{kind}s killed"] += 1
            act = gevent.spawn(member.kill_and_start, self._chance.uniform(0.0, LONGEST_DOWN))
        else:
            self.done[f"{kind}s stopped for a while"] += 1
            act = gevent.spawn(member.stand_still, self._chance.uniform(0.2, LONGEST_PAUSE))
        self._under_way.append(act)
