"""Limits of rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class WikiSettings(Protocol):
    """What the wiki reads of the portal's settings."""

    @property
    def default_space(self) -> str:
        """Space that the address ``/`` leads to."""

    @property
    def macro_deadline(self) -> float:
        """Seconds that a macro may take."""


@dataclass(frozen=True)
class Limits:
    """What rendering one page may cost."""

    loop_steps: int = 20_000  # turns that all loops of one page may take together
    page_characters: int = 2_000_000  # length of the Markdown that a page's expressions may produce
    markdown_cache: int = 512  # converted texts kept in memory
    offload_characters: int = 2_000  # longer texts are converted in a thread (8 KB take 10 ms; the hub may wait 5)
    rescan_seconds: float = 1.0  # how old the list of a space's files may be
    late_seconds: float = 60.0  # how long a macro may take that fills in late
    late_calls: int = 200  # how many of them may be running without anybody who waits
    kept_blocks: int = 1_000  # what macros showed that may be shown again
    include_depth: int = 4  # pages within pages
