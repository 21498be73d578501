"""Open files, threads and swap of the node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.findings.finding import Finding, graded
from sal.measures import memory

FILES: Final = (0.8, 0.9)
"""Parts of the limit that may be open. The originals asked for 0.8 first, so 0.9 was never an ERROR."""

THREADS: Final = (18_000, 20_000)
SWAP: Final = (10 * 2**30, 14 * 2**30)
"""Bytes in use; it only matters where less than :data:`SCARCE` percent of the memory is available."""

SCARCE: Final = 20.0
CATEGORY: Final = "System Load"


@dataclass(frozen=True)
class OpenFiles:
    """How many files one process (``pid`` 0: the whole node) has open, and how many it may."""

    pid: int
    name: str
    open: int
    limit: int


@dataclass(frozen=True)
class Load:
    """Threads of the node, bytes of swap in use, percent of memory available."""

    threads: int
    swap_used: float
    available: float


def open_files(root: Path = Path("/")) -> list[OpenFiles]:
    """Read how many files the node and each process that may be looked at have open."""
    allocated, _, most = (root / "proc/sys/fs/file-nr").read_text().split()
    return [OpenFiles(0, "node", int(allocated), int(most)), *_processes(root)]


def _processes(root: Path) -> Iterator[OpenFiles]:
    for folder in (root / "proc").glob("[0-9]*"):
        try:
            count = sum(1 for _ in (folder / "fd").iterdir())
            limits = (folder / "limits").read_text().splitlines()
            soft = next(line.split()[3] for line in limits if line.startswith("Max open files"))
            name = (folder / "comm").read_text().strip()
        except (OSError, StopIteration):  # it has ended, or is somebody else's
            continue
        if soft != "unlimited":
            yield OpenFiles(int(folder.name), name, count, int(soft))


def judge_open_files(found: Iterable[OpenFiles]) -> list[Finding]:
    """Judge the node, and each process that is close to its limit; the rest is one finding."""
    rows = list(found)
    told = [_judge(one) for one in rows if not one.pid]
    close = [one for one in map(_judge, (row for row in rows if row.pid)) if one.state != "OK"]
    close.sort(key=lambda one: one.state)
    if not close:
        told.append(
            Finding(CATEGORY, "processes", "OK", f"None of {len(rows) - len(told)} processes is close to its limit")
        )
    return [*told, *close]


def _judge(one: OpenFiles) -> Finding:
    share = one.open / one.limit if one.limit else 0.0
    who = f"Process {one.pid} ({one.name})" if one.pid else "The node"
    uid = f"files-{one.pid}" if one.pid else "files"
    text = f"{who} has {one.open} files open of {one.limit} ({share:.0%})"
    return Finding(CATEGORY, uid, graded(share, *FILES), text)


def load(root: Path = Path("/")) -> Load:
    """Read threads, swap and memory."""
    threads = int((root / "proc/loadavg").read_text().split()[3].partition("/")[2])
    found = memory(root)
    return Load(threads, found["swap_used"], 100 - found["memory"])


def judge_load(found: Load) -> list[Finding]:
    """Judge threads, and swap where memory is scarce."""
    scarce = found.available < SCARCE
    swap = graded(found.swap_used, *SWAP) if scarce else "OK"
    text = f"{found.swap_used / 2**30:.1f} GiB of swap in use, {found.available:.0f} % of the memory available"
    return [
        Finding(CATEGORY, "threads", graded(found.threads, *THREADS), f"{found.threads} threads"),
        Finding(CATEGORY, "swap", swap, text),
    ]
