"""What a script leaves behind: processes that it started and that go on when its job has ended.

A worker is the *subreaper* of its descendants (prctl(2)): what detaches itself from its parent becomes a child of the
worker, not of the machine's first process, so nothing that a script started can hide. Only where a script's header says
``daemons = True`` may something outlive it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Final

PR_SET_CHILD_SUBREAPER: Final = 36
LIMIT: Final = 5.0
"""Seconds for which new descendants are looked for: a script may fork faster than one look kills."""

PAUSE: Final = 0.005


def adopt(*, orphans: bool) -> None:
    """Have what detaches itself from now on become a child of this process, or of the machine's first one."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(orphans))


def end_children() -> int:
    """Kill all descendants of this process, and return how many there were. Other threads must not start any."""
    killed: set[int] = set()
    limit = time.monotonic() + LIMIT
    while (living := descendants(os.getpid())) and time.monotonic() < limit:
        killed |= set(living)
        _kill(living)
        time.sleep(PAUSE)
        _bury()
    _bury()
    return len(killed)


def end(pid: int) -> None:
    """Kill a process of ours, its process group and all descendants; it stands still first, so it starts no more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    limit = time.monotonic() + LIMIT
    while (living := descendants(pid)) and time.monotonic() < limit:
        _kill(living)
        time.sleep(PAUSE)
    end_group(pid)


def end_group(pid: int) -> None:
    """Kill a process group of ours, whose first process may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return the processes that descend from one and have not ended, the nearest first."""
    found: list[int] = []
    following = [pid]
    while following:
        following = [child for parent in following for child in _children(parent)]
        found += [child for child in following if not _ended(child)]
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_bytes().split())
    return found


def _ended(pid: int) -> bool:
    """Tell whether a process is gone, or a zombie that only its parent can bury."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in {b"Z", b"X"}
    except OSError:
        return True


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _bury() -> None:
    """Take the exit status of the children that have ended, which else stay as zombies."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
