"""One at a time on a node, across processes."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold the lock ``file`` within the block, waiting for whoever has it; the kernel releases it when a process dies.

    For changes of what several objects share: bridges, pools, external networks. Waiting for one guest needs no lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
