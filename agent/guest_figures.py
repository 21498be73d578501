"""Figures of the guests, read by a process of its own: libvirt takes more memory than all of the agent.

The process runs only while the installation has guests on this node. ``python -m agent.guest_figures URI`` answers each
line of its input, a prefix of names, with one line of JSON.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent import own_python
from agent.worker import die_with_parent

if TYPE_CHECKING:
    from sal.measured import Measured

log = logging.getLogger(__name__)

RUNNING: Final = Path("/run/libvirt/qemu")
"""Where libvirt keeps a file for each guest that runs."""

PATIENCE: Final = 5.0
"""Seconds for an answer; a libvirt that takes longer hangs."""

LINGER: Final = 300.0
"""Seconds for which the process is kept without guests."""


class GuestFigures:
    """Asks the process, which it starts, ends and replaces as needed."""

    def __init__(self) -> None:
        """Begin without a process."""
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = 0.0
        self._told = ""

    def measure(self, uri: str, site: str) -> list[Measured]:
        """Return the figures of the guests of a site that run here; none where libvirt only simulates or hangs."""
        if not uri.startswith("qemu:") or not site:
            return []
        prefix, now = f"{site}-m", time.monotonic()  # machines of people, not the test machine
        if guests_may_run(prefix):
            self._wanted = now
        elif now - self._wanted > LINGER or self._process is None:
            self.stop()
            return []
        try:
            return self._ask(uri, prefix)
        except (OSError, ValueError) as error:
            self._tell(f"the guests cannot be measured: {error}")
            self.stop()
            return []

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, uri: str, prefix: str) -> list[Measured]:
        from sal.measured import Measured

        process = self._process = self._process or start(uri)
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise OSError("the process has no pipes")
        stdin.write(f"{prefix}\n".encode())
        stdin.flush()
        if not select.select([stdout], [], [], PATIENCE)[0]:
            raise OSError(f"libvirt has not answered for {PATIENCE:g} s")
        answer = json.loads(stdout.readline() or b'{"error": "the process ended"}')
        if "error" in answer:
            raise OSError(answer["error"])
        self._told = ""
        return [Measured(**one) for one in answer["guests"]]

    def _tell(self, text: str) -> None:
        """Log what is wrong, once until it is well again."""
        if text != self._told:
            log.warning("%s", text)
            self._told = text


def guests_may_run(prefix: str, folder: Path = RUNNING) -> bool:
    """Tell whether libvirt has a guest of this prefix; where that cannot be seen, yes."""
    try:
        return any(entry.name.startswith(prefix) for entry in os.scandir(folder))
    except OSError:
        return True


def start(uri: str) -> subprocess.Popen[bytes]:
    """Start the process that speaks with libvirt; it ends with this one."""
    command = own_python.command("agent.guest_figures", uri, str(os.getpid()))
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=own_python.environment())


def serve(uri: str) -> None:
    """Answer until the input ends: ``{"guests": [...]}``, or ``{"error": why there are none}``."""
    from sal.errors import HypervisorError
    from sal.hypervisor.connection import Hypervisor
    from sal.hypervisor.guest_measures import guests

    for line in sys.stdin:
        answer: dict[str, object]
        try:
            answer = {"guests": [asdict(one) for one in guests(Hypervisor(uri), line.strip())]}
        except HypervisorError as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    die_with_parent(int(sys.argv[2]))
    serve(sys.argv[1])
