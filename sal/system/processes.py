"""Processes of the node: finding and ending them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import psutil

from sal.errors import ProcessError

_LIMIT: Final = 5.0
_FIELDS: Final = ("pid", "ppid", "name", "username", "status", "cmdline", "create_time", "memory_info", "num_threads")


@dataclass(frozen=True)
class Process:
    """A process: its memory in bytes (resident), its start in seconds since 1970.

    ``command`` is empty for threads of the kernel, and for what has ended and waits for its parent.
    """

    pid: int
    parent: int
    name: str
    user: str
    state: str
    command: list[str]
    started: float
    memory: int
    threads: int


def read_processes(*, name: str | None = None, user: str | None = None, argument: str | None = None) -> list[Process]:
    """Return the processes that have all that is asked for, by id.

    Params: ``name`` as the kernel has it (15 characters); ``user`` a name; ``argument`` a whole word of the command.
    """
    found = (_process(one.info) for one in psutil.process_iter(_FIELDS))
    return [
        one
        for one in found
        if name in {None, one.name} and user in {None, one.user} and (argument is None or argument in one.command)
    ]


def listeners(port: int, kind: str = "tcp") -> list[int]:
    """Return the processes that listen on a port of this namespace, ``kind`` ``tcp`` or ``udp``."""
    found = psutil.net_connections(kind)
    bound = (one for one in found if one.laddr and one.laddr.port == port)
    return sorted({one.pid for one in bound if one.pid and (kind == "udp" or one.status == psutil.CONN_LISTEN)})


def end(pids: Iterable[int], limit: float = _LIMIT) -> list[int]:
    """End processes, politely at first, by force after ``limit`` seconds; return those that ran.

    What has ended already is no error. Raises `sal.errors.ProcessError` if one does not end in twice that time.
    """
    running = [pid for pid in pids if alive(pid)]
    left = running
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            _tell(pid, number)
        until = time.monotonic() + limit
        while (left := [pid for pid in left if alive(pid)]) and time.monotonic() < until:
            time.sleep(0.01)
    if left:
        raise ProcessError(f"processes {left} do not end; they may hang in the kernel, see /proc/PID/stack")
    return running


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _tell(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended meanwhile


def _process(info: dict[str, Any]) -> Process:
    memory = info["memory_info"]
    return Process(
        pid=info["pid"],
        parent=info["ppid"] or 0,
        name=info["name"] or "",
        user=info["username"] or "",
        state=info["status"],
        command=info["cmdline"] or [],
        started=info["create_time"],
        memory=memory.rss if memory else 0,
        threads=info["num_threads"] or 0,
    )
