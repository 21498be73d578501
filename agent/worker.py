"""A worker process: runs one JumpScript after the other, told by its agent through pipes.

Jobs come as JSON lines on what was standard input; events (``ready``, ``line``, ``progress``, then one ``result`` or
``error``) go as JSON lines to the file descriptor given as first argument. What programs started by a script print
goes to this process's own standard output, which the agent reads too.
"""

from __future__ import annotations

import ctypes
import faulthandler
import io
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Final, NoReturn

from agent import offspring
from agent.holdable import complaint
from agent.jumpscript import Surroundings, bound
from agent.limits import MAX_LINE, MAX_LINES, MAX_OUTPUT, MEBIBYTE, too_little_memory

PR_SET_PDEATHSIG: Final = 1
"""prctl(2): signal that the kernel sends to this process when the thread that started it ends."""


class Channel:
    """Writes events to the agent, one JSON line each. Safe to use from several threads."""

    def __init__(self, descriptor: int) -> None:
        """Write to this file descriptor."""
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._count = self._size = 0

    def begin(self) -> None:
        """Count the output afresh: another job begins."""
        self._count = self._size = 0

    def emit(self, event: dict[str, Any]) -> None:
        """Write one event, waiting if the agent is behind; lines are cut to their longest."""
        if event["event"] == "line":
            if self.full:
                return  # the agent has said that the output is cut; more of it would only cost time
            event = {**event, "text": cut(event["text"])}
            self._count += 1
            self._size += len(event["text"])
        data = json.dumps(event).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]

    @property
    def full(self) -> bool:
        """True once the job has said as much as it may, and a little more."""
        return self._count > MAX_LINES or self._size > MAX_OUTPUT

    @property
    def forked(self) -> bool:
        """True in a child that a script forked."""
        return os.getpid() != self._pid


class Printed(io.TextIOBase):
    """Stands for ``sys.stdout`` or ``sys.stderr``: what is printed becomes lines, in order with those of ``log``."""

    def __init__(self, channel: Channel, level: str) -> None:
        """Send to a channel under a level."""
        self._channel = channel
        self._level = level
        self._rest = ""

    def write(self, text: str) -> int:
        """Send whole lines, keep the rest."""
        if self._channel.full:
            return len(text)
        *lines, rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        whole = len(rest) // MAX_LINE * MAX_LINE
        for begin in range(0, whole, MAX_LINE):
            self._line(rest[begin : begin + MAX_LINE])
        self._rest = rest[whole:]
        return len(text)

    def finish(self) -> None:
        """Send what has no end of line."""
        if self._rest:
            self._line(self._rest)
            self._rest = ""

    def writable(self) -> bool:
        """Tell that this can be written to."""
        return True

    def _line(self, text: str) -> None:
        self._channel.emit({"event": "line", "level": self._level, "at": time.time(), "text": text})


def cut(text: str) -> str:
    """Return a line at its longest."""
    return text if len(text) <= MAX_LINE else text[:MAX_LINE] + " …"


def main() -> int:
    """Serve until the agent closes the pipe."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent(parent)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)  # the agent asks before it kills on a timeout
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - positional only
    jobs = take_stdin()
    channel = Channel(descriptor)
    channel.emit({"event": "ready"})
    for line in jobs:
        channel.emit(run(json.loads(line), channel))
    return 0


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its agent is gone, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        sys.exit(1)


def take_stdin() -> io.TextIOWrapper:
    """Take standard input away from the scripts, which find it empty."""
    jobs = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return jobs


def run(job: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run one job and return the event that ends it. A child forked by the script never returns from here."""
    channel.begin()
    limit(job["limits"])
    output = Printed(channel, "stdout"), Printed(channel, "stderr")
    sys.stdout, sys.stderr = output
    try:
        with bound(Surroundings.from_json(job["surroundings"]), channel.emit):
            event = outcome(action_of(job)(**job["args"]))
    except MemoryError as error:
        event = failure(too_little_memory(job["limits"]["memory"]), script_traceback(error, job["path"]), spent=True)
    except SystemExit as error:
        event = failure(f"the script called sys.exit({error.code!r})", "")
    except BaseException as error:  # noqa: BLE001 - the edge: whatever a script raises ends this job and nothing else
        event = failure(summary(error), script_traceback(error, job["path"]))
    finally:
        if channel.forked:
            leave_fork()
        for stream in output:
            stream.finish()
        if not job["limits"]["daemons"]:
            offspring.end_children()
    return event


def limit(limits: dict[str, Any]) -> None:
    """Let the job take so much memory (this process, and each that it starts) and processor time, and leave nothing.

    What is counted is the memory that only this process can write to: addresses that are merely set aside are free.
    """
    bound_by(resource.RLIMIT_DATA, limits["memory"] * MEBIBYTE)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = limits["cpu"]
    bound_by(resource.RLIMIT_CPU, None if cpu is None else int(used.ru_utime + used.ru_stime + cpu) + 1)
    offspring.adopt(orphans=not limits["daemons"])


def bound_by(what: int, most: int | None) -> None:
    """Set a limit of this process, as far as the system's own allows it; None sets none but that."""
    _, hard = resource.getrlimit(what)
    free = hard == resource.RLIM_INFINITY
    resource.setrlimit(what, (hard if most is None else most if free else min(most, hard), hard))


def action_of(job: dict[str, Any]) -> Any:
    """Load the script afresh and return its ``action``, so that no job finds another one's globals."""
    path = Path(job["path"])
    namespace: dict[str, Any] = {"__name__": "jumpscript", "__file__": f"{job['script']}.py"}
    exec(compile(path.read_bytes(), path, "exec"), namespace)  # noqa: S102 - running scripts is what a worker is for
    if "action" not in namespace:
        raise NameError("the script has no function action() once it has been loaded")
    return namespace["action"]


def outcome(value: Any) -> dict[str, Any]:
    """Return the event of a result, or of the error that it cannot travel."""
    reason = complaint(value)
    return failure(reason, "") if reason else {"event": "result", "value": value}


def failure(reason: str, trace: str, *, spent: bool = False) -> dict[str, Any]:
    """Return the event of a script that failed; a worker that is ``spent`` runs no other one."""
    return {"event": "error", "reason": reason, "traceback": trace, "spent": spent}


def summary(error: BaseException) -> str:
    """Return the error in one line."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def script_traceback(error: BaseException, path: str) -> str:
    """Return the traceback from the script's own first frame on."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


def leave_fork() -> NoReturn:
    """End a child that a script forked where the script's action ended in it."""
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
