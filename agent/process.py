"""The agent's end of a worker process: start it, give it a job, hear it, and kill it with all its children."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

from agent import offspring, own_python
from agent.errors import AgentError
from agent.limits import MAX_LINE, memory_of, too_little_memory

if TYPE_CHECKING:
    from agent.cgroup import Groups
    from agent.held import Held


CHUNK: Final = 65536
CHUNKS: Final = 16
STACK_WAIT: Final = 0.3
"""Seconds that a worker gets to write down where it hangs, before it is killed."""

STACK_PAUSE: Final = 0.02
"""Seconds of silence after which what it wrote down is complete."""

State = Literal["OK", "ERROR", "TIMEOUT", "CANCELLED", "LOST", "EXPIRED"]


@dataclass(frozen=True)
class Ending:
    """How an attempt ended on this node; its worker is to be replaced if it is ``spent``."""

    state: State
    reason: str
    result: Any = None
    traceback: str = ""
    spent: bool = False


class WorkerProcess:
    """One worker process. Used by one thread, which must live as long as the process does."""

    def __init__(self, folder: Path, groups: Groups, queue: str) -> None:
        """Start a worker of a queue whose working directory is this folder, in a control group if these can be made."""
        self._groups = groups
        self._group = groups.make(queue)
        messages, theirs = os.pipe()
        raw, their_raw = os.pipe()
        try:
            self._process = subprocess.Popen(
                own_python.command("agent.worker", str(theirs), str(os.getpid())),
                stdin=subprocess.PIPE,
                stdout=their_raw,
                stderr=their_raw,
                pass_fds=(theirs,),
                process_group=0,
                cwd=folder,
                env=own_python.environment(),
            )
        finally:
            os.close(theirs)
            os.close(their_raw)
        if self._group is not None:
            self._group.take(self.pid)
        self._death = os.pidfd_open(self._process.pid)
        self._messages = LineReader(messages)
        self._raw = LineReader(raw, MAX_LINE)
        self._selector = selectors.DefaultSelector()
        for descriptor, source in ((messages, "messages"), (raw, "raw"), (self._death, "death")):
            self._selector.register(descriptor, selectors.EVENT_READ, source)

    @property
    def pid(self) -> int:
        """Number of the process, which is also that of its process group."""
        return self._process.pid

    def run(self, request: dict[str, Any], held: Held) -> Ending:
        """Run one job to its end. Afterwards the process may be dead: look at :attr:`alive`."""
        self._prepare_group(request["limits"])
        self._give(request)
        with held.signal() as interrupted:
            self._selector.register(interrupted, selectors.EVENT_READ, "interrupted")
            try:
                ending = self._hear_until_end(held, time.monotonic() + held.assignment.timeout)
            finally:
                self._selector.unregister(interrupted)
        self._hear_raw(held)
        if ending.spent:
            self.kill()
        return ending

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """Kill the process and its children, and release what it held."""
        self.kill()
        self._selector.close()
        for descriptor in (self._death, self._messages.descriptor, self._raw.descriptor):
            os.close(descriptor)

    def kill(self) -> None:
        """Kill the process, its process group, and what descends from it; does nothing the second time."""
        if self._stdin().closed:
            return
        if self.alive:
            offspring.end(self.pid)
        else:
            offspring.end_group(self.pid)
        if self._group is not None:
            self._group.end()  # finds also what detached itself from a worker that has died
        self._process.wait()
        self._stdin().close()

    def _prepare_group(self, limits: dict[str, Any]) -> None:
        """Have what this job starts be where it belongs: bounded with the worker, or where it may outlive it."""
        if self._group is not None:
            group = (limits["daemons"] and self._groups.daemons()) or self._group
            group.take(self.pid)
            self._group.bound_memory(limits["memory"])

    def _give(self, request: dict[str, Any]) -> None:
        try:
            self._stdin().write(json.dumps(request).encode() + b"\n")
            self._stdin().flush()
        except BrokenPipeError:
            return  # it has died; hearing it will tell how

    def _hear_until_end(self, held: Held, deadline: float) -> Ending:
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return self._time_out(held)
            sources = {key.data for key, _ in self._selector.select(remaining)}
            self._forget_closed()
            if "raw" in sources:
                self._hear_raw(held)
            if sources & {"messages", "death"}:
                ending = self._hear_messages(held)
                if ending is not None:
                    return ending
            if "death" in sources:
                return self._died(held)
            if "interrupted" in sources:
                return self._interrupted(held)

    def _hear_messages(self, held: Held) -> Ending | None:
        for line in self._messages.lines():
            event = json.loads(line)
            ending = heard(event, held)
            if ending is not None:
                return ending
        return None

    def _hear_raw(self, held: Held) -> bool:
        """Take in what was printed past Python; False if that was nothing."""
        if held.output.full:
            return self._raw.skip()
        lines = self._raw.lines()
        for line in lines:
            held.output.add("stdout", line.decode(errors="replace"))
        return bool(lines)

    def _forget_closed(self) -> None:
        for reader in (self._messages, self._raw):
            if reader.closed and reader.descriptor in self._selector.get_map():
                self._selector.unregister(reader.descriptor)

    def _time_out(self, held: Held) -> Ending:
        os.kill(self.pid, signal.SIGUSR1)
        wait = STACK_WAIT
        while self._raw.wait(wait) and self._hear_raw(held):
            wait = STACK_PAUSE
        self.kill()
        return Ending("TIMEOUT", f"the script ran longer than its timeout of {held.assignment.timeout:g} s")

    def _interrupted(self, held: Held) -> Ending:
        self.kill()
        assert held.interruption is not None  # noqa: S101 - the signal says so
        state: State = "CANCELLED" if held.interruption.cause == "cancelled" else "LOST"
        return Ending(state, held.interruption.reason)

    def _died(self, held: Held) -> Ending:
        status = self._process.wait()
        out_of_memory = self._group is not None and self._group.ran_out_of_memory
        self.kill()
        if status == -signal.SIGXCPU:
            cpu = held.assignment.limits.cpu or 0.0
            reason = f"the script used more processor time than its limit of {cpu:g} s; its header can ask for more"
            return Ending("ERROR", f"{reason}: cpu = {2 * cpu:g}")
        if out_of_memory:
            return Ending("ERROR", too_little_memory(memory_of(held.assignment.queue, held.assignment.limits.memory)))
        if status < 0:
            name = signal.Signals(-status).name
            return Ending("ERROR", f"the worker process was ended by {name} while the script ran")
        return Ending("ERROR", f"the script ended its worker process with exit status {status}")

    def _stdin(self) -> IO[bytes]:
        stdin = self._process.stdin
        if stdin is None:
            raise AgentError(f"worker {self.pid} was started without a pipe")
        return stdin


class LineReader:
    """Reads the whole lines that have come through a pipe, without waiting."""

    def __init__(self, descriptor: int, longest: int | None = None) -> None:
        """Read from this descriptor, which becomes non-blocking; break lines that are longer than ``longest`` bytes."""
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.closed = False
        self._longest = longest
        self._rest = b""

    def lines(self) -> list[bytes]:
        """Return the lines that are there; of very much output only the first part, so that others get their turn."""
        *lines, self._rest = (self._rest + self._read()).split(b"\n")
        if self._rest and (self.closed or (self._longest and len(self._rest) > self._longest)):
            lines.append(self._rest)
            self._rest = b""
        return lines

    def skip(self) -> bool:
        """Let go of what is there, unread; False if that was nothing."""
        self._rest = b""
        return bool(self._read())

    def wait(self, timeout: float) -> bool:
        """Wait for something to read."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.descriptor, selectors.EVENT_READ)
            return bool(selector.select(timeout))

    def _read(self) -> bytes:
        chunks = []
        for _ in range(CHUNKS):
            try:
                chunk = os.read(self.descriptor, CHUNK)
            except BlockingIOError:
                break
            if not chunk:
                self.closed = True
                break
            chunks.append(chunk)
        return b"".join(chunks)


def heard(event: dict[str, Any], held: Held) -> Ending | None:
    """Take in one event of a worker; return the ending if it is one."""
    match event["event"]:
        case "line":
            held.output.add(event["level"], event["text"], event["at"])
        case "progress":
            held.output.progress(event["percent"], event["text"])
        case "result":
            return Ending("OK", "", event["value"])
        case "error":
            return Ending("ERROR", event["reason"], traceback=event["traceback"], spent=event["spent"])
    return None
