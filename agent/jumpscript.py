"""What a JumpScript sees of the agent: ``from agent.jumpscript import context, log``.

``log`` streams lines to whoever watches the job, ``context`` tells where the script runs and brings files. Both work
only while a job runs; to try a script by hand, wrap the call: ``with bound(Surroundings(...), print): action(...)``.
"""

from __future__ import annotations

import contextlib
import time
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from agent.tunnel import Carried


@dataclass(frozen=True)
class Surroundings:
    """Where a job runs.

    Args:
        node_id: number of this node.
        site: prefix of the names of everything that this installation makes on the node, for instance ``pf3fa1``.
        hypervisor: libvirt's address, for instance ``qemu:///system``.
        work: folder for what scripts keep between jobs; all scripts of the node share it.
        run: folder for pid files and sockets.
        files: folder of fetched files.
        controller: address of the controller, for files named ``portal:<name>``.
        credential: the node's credential.
        authority: file of the private authorities that the controller must be signed by, if it exists.

    """

    node_id: int
    site: str
    hypervisor: str
    work: Path
    run: Path
    files: Path
    controller: str = ""
    credential: str = ""
    authority: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return these as plain data for the worker process."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Surroundings:
        """Read what :meth:`to_json` wrote."""
        folders = {name: Path(data[name]) for name in ("work", "run", "files", "authority") if data.get(name)}
        return cls(**{**data, **folders})


_surroundings: ContextVar[Surroundings] = ContextVar("surroundings")
_emit: ContextVar[Callable[[dict[str, Any]], None]] = ContextVar("emit")
# A script may start threads, which begin with an empty context: they fall back to the job of their process.
_of_process: list[tuple[Surroundings, Callable[[dict[str, Any]], None]]] = []


@contextlib.contextmanager
def bound(surroundings: Surroundings, emit: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Let ``log`` and ``context`` work within this block; events of the job go to ``emit``."""
    tokens = _surroundings.set(surroundings), _emit.set(emit)
    _of_process.append((surroundings, emit))
    try:
        yield
    finally:
        _of_process.pop()
        _surroundings.reset(tokens[0])
        _emit.reset(tokens[1])


def _current() -> tuple[Surroundings, Callable[[dict[str, Any]], None]]:
    try:
        return _surroundings.get(), _emit.get()
    except LookupError:
        if not _of_process:
            raise AgentError("log and context work only while a job runs; see agent.jumpscript.bound") from None
        return _of_process[-1]


class Log:
    """Lines of output with a level; each is streamed at once."""

    def debug(self, message: object) -> None:
        """Say what only an author needs."""
        self._line("debug", message)

    def info(self, message: object) -> None:
        """Say what the script does."""
        self._line("info", message)

    def warning(self, message: object) -> None:
        """Say what is not as it should be but does not stop the script."""
        self._line("warning", message)

    def error(self, message: object) -> None:
        """Say what failed."""
        self._line("error", message)

    def _line(self, level: str, message: object) -> None:
        _, emit = _current()
        for text in str(message).splitlines() or [""]:
            emit({"event": "line", "level": level, "at": time.time(), "text": text})


class Context:
    """Where the running script is, and what it can ask of the agent."""

    @property
    def node_id(self) -> int:
        """Number of this node."""
        return _current()[0].node_id

    @property
    def site(self) -> str:
        """Prefix of the names of everything that this installation makes on the node."""
        return _current()[0].site

    @property
    def hypervisor(self) -> str:
        """Address of libvirt on this node."""
        return _current()[0].hypervisor

    @property
    def work(self) -> Path:
        """Folder for what scripts keep between jobs; all scripts of the node share it."""
        return _current()[0].work

    @property
    def run(self) -> Path:
        """Folder for pid files and sockets."""
        return _current()[0].run

    def progress(self, percent: float, text: str = "") -> None:
        """Say how far the script is, 0 to 100, and what it is at."""
        _current()[1]({"event": "progress", "percent": max(0.0, min(100.0, float(percent))), "text": text})

    def fetch_file(self, url: str, sha256: str | None = None) -> Path:
        """Bring a file to this node and return where it lies.

        Args:
            url: http(s) address, or ``portal:<name>`` for a file that lies in the portal.
            sha256: expected hash; with it, a file fetched before is not fetched again.

        Raises:
            FetchError: the file cannot be had, or its hash is another.

        """
        from agent.fetch import fetch

        return fetch(_current()[0], url, sha256, self.progress)

    def carry(self, tunnel: str, local: socket.socket) -> Carried:
        """Carry bytes between a connected socket of this node and who waits for them in the portal, until either ends.

        Args:
            tunnel: the id that the portal gave.
            local: closed afterwards.

        Raises:
            TunnelError: the portal cannot be reached, or does not wait for this tunnel.

        """
        from agent.tunnel import carry

        return carry(_current()[0], tunnel, local)


log = Log()
context = Context()
