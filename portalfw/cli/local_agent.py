"""The agent that ``portalfw up`` runs beside the master, as a process of its own."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from portalfw import child
from portalfw.errors import StartError
from portalfw.settings import Settings

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

STOP_LIMIT = 10.0  # seconds
RESTARTS = 5  # in RESTART_WINDOW, then we leave it stopped and say so
RESTART_WINDOW = 60.0


def agent_command(settings: Settings) -> tuple[list[str], dict[str, str]]:
    """Return the command of this node's agent, and what its environment must hold besides (secrets go there)."""
    controllers = (settings.controller or f"http://127.0.0.1:{settings.port}").split(",")
    command = [
        sys.executable,
        "-m",
        "agent",
        "--state",
        str(settings.state_folder),
        "--hypervisor",
        settings.hypervisor,
    ]
    command += [word for one in controllers for word in ("--controller", one.strip())]
    if settings.ca_pin:
        command += ["--ca-pin", settings.ca_pin]
    return command, {"PORTALFW_JOIN_TOKEN": settings.join_token} if settings.join_token else {}


class LocalAgent:
    """One agent process that enters with a join token made for it and is restarted when it ends."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        """Bind it to the master's settings and controller."""
        self._settings = settings
        self._runtime = runtime
        self._process: subprocess.Popen[bytes] | None = None
        self._starts: deque[float] = deque(maxlen=RESTARTS)
        self._given_up = False
        self.log: Path = settings.state_folder / "log" / "agent.log"

    def start(self) -> None:
        """Start the process; a node that the database does not know gets a join token."""
        command, environment = agent_command(self._settings)
        token = self._runtime.controller.local_join_token(self._settings.state_folder / "agent")
        if token:
            environment["PORTALFW_JOIN_TOKEN"] = token
        self._starts.append(time.monotonic())
        with self.log.open("ab") as output:
            self._process = child.start(command, output=output, environment=environment)

    def check(self) -> None:
        """Raise if the process has ended.

        :raises StartError: with its last words.
        """
        if self._process is not None and self._process.poll() is not None:
            raise StartError(f"The local agent ended: {self._last_words()} (log: {self.log}).")

    def keep_running(self) -> None:
        """Start the process again if it has ended, unless it ends all the time."""
        if self._process is None or self._process.poll() is None or self._given_up:
            return
        log.error("The local agent ended (%s)", self._last_words())
        if len(self._starts) == RESTARTS and time.monotonic() - self._starts[0] < RESTART_WINDOW:
            self._given_up = True
            log.error("The local agent ended %d times within %d s and is left stopped", RESTARTS, RESTART_WINDOW)
            return
        self.start()

    def stop(self) -> None:
        """Stop the process; it gets :data:`STOP_LIMIT` seconds to finish its jobs."""
        if self._process is not None:
            child.stop(self._process, STOP_LIMIT)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else f"exit status {self._process.returncode if self._process else '?'}"
