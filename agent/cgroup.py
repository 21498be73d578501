"""A control group (cgroup v2) for each worker: what its jobs take together is bounded, and nothing in it can hide.

Groups are made below the agent's own one, where it may do that: in a unit of systemd with ``Delegate=yes``, or at the
root of a container. Memory and processor time are bounded if these controllers are there; else the worker's own limits
hold, for each process by itself.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import time
from pathlib import Path
from typing import Final

from agent.limits import CORES, DEFAULT_CORES, MEBIBYTE

log = logging.getLogger(__name__)

MOUNTS: Final = Path("/proc/self/mountinfo")
OWN: Final = Path("/proc/self/cgroup")
CONTROLLERS: Final = ("memory", "cpu")
PERIOD: Final = 100_000
"""Microseconds in which a worker's share of processor time is counted."""

ROOM: Final = 128
"""MiB that a worker's group may take beyond the job's limit: Python itself, and files that are kept in memory."""

GONE_WITHIN: Final = 2.0
"""Seconds in which the kernel has ended what was killed."""


class Groups:
    """Makes the groups of one agent's workers."""

    def __init__(self, name: str) -> None:
        """Look whether groups can be made; those that a killed agent of this name has left are ended."""
        self._name = name
        self._prefix = f"{name}-worker-"
        self._numbers = itertools.count(1)
        self._base = delegated()
        if self._base is not None:
            enable(self._base, name)
            for left in self._base.glob(f"{self._prefix}*"):
                Group(left).end()

    def make(self, queue: str) -> Group | None:
        """Make the group of a new worker; None where that cannot be."""
        group = self._made(f"{self._prefix}{next(self._numbers)}")
        if group is not None:
            group.set("cpu.max", f"{int(CORES.get(queue, DEFAULT_CORES) * PERIOD)} {PERIOD}")
        return group

    def daemons(self) -> Group | None:
        """Return the group of what may outlive its job, which is never ended; None where that cannot be."""
        return self._made(f"{self._name}-daemons")

    def _made(self, name: str) -> Group | None:
        if self._base is None:
            return None
        try:
            (self._base / name).mkdir(exist_ok=True)
        except OSError as error:
            log.warning("no control group %s: %s", name, error)
            return None
        return Group(self._base / name)


class Group:
    """The group of one worker and all that its jobs start."""

    def __init__(self, folder: Path) -> None:
        """Use a group that is there."""
        self._folder = folder

    def take(self, pid: int) -> None:
        """Put a process in, which must have started nothing yet."""
        self.set("cgroup.procs", str(pid))

    def bound_memory(self, mebibytes: int) -> None:
        """Let all in the group together take so much memory; beyond, the kernel ends them all."""
        self.set("memory.max", str((mebibytes + ROOM) * MEBIBYTE))
        self.set("memory.swap.max", "0")
        self.set("memory.oom.group", "1")

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the kernel has ended the group for its memory."""
        try:
            events = (self._folder / "memory.events").read_text(encoding="ascii").split()
        except OSError:
            return False
        return int(dict(zip(events[::2], events[1::2], strict=True)).get("oom_kill", "0")) > 0

    def end(self) -> None:
        """Kill all that is in the group, however it detached itself, and remove the group."""
        self.set("cgroup.kill", "1")
        limit = time.monotonic() + GONE_WITHIN
        while self._folder.exists() and time.monotonic() < limit:
            with contextlib.suppress(OSError):  # busy: the kernel is at it still
                self._folder.rmdir()
                return
            time.sleep(0.01)

    def set(self, name: str, value: str) -> None:
        """Write one of the group's files; nothing if the kernel has none of that name here."""
        file = self._folder / name
        if file.exists():
            try:
                file.write_text(value, encoding="ascii")
            except OSError as error:
                log.warning("%s cannot be set to %s: %s", file, value, error)


def delegated() -> Path | None:
    """Return the group below which this process may make groups; None where there is none, or no cgroup v2.

    With systemd's ``DelegateSubgroup=`` that is the parent of its own one.
    """
    path = next((line[3:] for line in OWN.read_text(encoding="utf-8").splitlines() if line.startswith("0::")), None)
    fields = (line.split() for line in MOUNTS.read_text(encoding="utf-8").splitlines())
    mount = next((words[4] for words in fields if words[words.index("-") + 1] == "cgroup2"), None)
    if path is None or mount is None:
        return None
    folder = Path(mount) / path.lstrip("/")
    given = [folder] if path == "/" else [one for one in (folder, folder.parent) if _is_given(one)]
    return next((one for one in given if os.access(one / "cgroup.procs", os.W_OK)), None)


def _is_given(folder: Path) -> bool:
    """Tell whether systemd has left a group to its processes (``Delegate=yes``), as it notes on the folder."""
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            return os.getxattr(folder, name) == b"1"
    return False


def enable(base: Path, name: str) -> None:
    """Have the groups below bounded; the kernel wants no process in ``base`` for that.

    An agent that is alone there moves into a group of its own. One of root does not: the daemons of its scripts may
    outlive it, and systemd could not put the next one into a group whose groups are bounded.
    """
    offered = (base / "cgroup.controllers").read_text(encoding="ascii").split()
    wanted = " ".join(f"+{one}" for one in CONTROLLERS if one in offered)
    there = (base / "cgroup.procs").read_text(encoding="ascii").split()
    if not wanted or (there and (os.geteuid() == 0 or there != [str(os.getpid())])):
        return
    try:
        if there:
            own = base / name
            own.mkdir(exist_ok=True)
            (own / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        (base / "cgroup.subtree_control").write_text(wanted, encoding="ascii")
    except OSError as error:
        log.warning("workers are not bounded by control groups: %s", error)
