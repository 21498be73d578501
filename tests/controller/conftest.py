"""Scripts, a queue and nodes for the tests of the controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portalfw.controller.documents import Node
from portalfw.controller.queue import JobQueue
from portalfw.controller.scripts import ScriptStore
from portalfw.controller.wake import Wake
from portalfw.events import EventBus

IDEMPOTENT = "descr = 'again'\nidempotent = True\ndef action(n=0): return n\n"
ONCE = "descr = 'once'\ndef action(n=0): return n\n"
TYPED = """descr = 'typed'
from typing import Any, Literal
def action(n: int, size: float = 1, names: list[str] | None = None, how: Literal['a', 'b'] = 'a', more: int = None): ...
"""


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content" / "jumpscripts" / "test"
    folder.mkdir(parents=True)
    (folder / "again.py").write_text(IDEMPOTENT)
    (folder / "once.py").write_text(ONCE)
    (folder / "typed.py").write_text(TYPED)
    return tmp_path / "content"


@pytest.fixture
def queue(bus: EventBus, content: Path) -> Iterator[JobQueue]:
    store = ScriptStore([content])
    store.load()
    wake = Wake(bus)
    wake.start()
    yield JobQueue(store, wake)
    wake.stop()


@pytest.fixture
def make_node(bus: EventBus) -> Callable[..., int]:
    """Give a function that makes a node that is there."""
    del bus  # it brings the database

    def make(*roles: str, **fields: Any) -> int:
        values = {"name": "n", "status": "ENABLED", "connected": True, "gid": 1, **fields}
        return int(Node.create(roles=list(roles), **values).id)

    return make


@pytest.fixture
def node(make_node: Callable[..., int]) -> int:
    return make_node()
