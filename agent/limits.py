"""Bounds on what a job may send and use; apart from the messages, so that a worker needs no pydantic."""

from __future__ import annotations

from typing import Final

MAX_RESULT: Final = 4 * 1024 * 1024
"""Largest result in bytes of JSON: MongoDB holds 16 MiB in one document, and a job has arguments and a history too."""

MAX_LINE: Final = 8 * 1024
"""Longest line of output in characters; what is longer is cut."""

MAX_LINES: Final = 20_000
"""Most lines that one attempt may send."""

MAX_OUTPUT: Final = 4 * 1024 * 1024
"""Most characters that one attempt may send."""

MEBIBYTE: Final = 2**20

MEMORY: Final = {"io": 2048, "console": 256}
"""MiB of memory that a job may take, by queue, where its header names no ``memory``."""

DEFAULT_MEMORY: Final = 1024
"""The same for other queues."""

CORES: Final = {"io": 2.0, "hypervisor": 2.0}
"""Processor cores that a worker may keep busy, by queue, where the agent may make control groups."""

DEFAULT_CORES: Final = 1.0
"""The same for other queues."""


def too_little_memory(memory: int) -> str:
    """Say what a limit in MiB was too small for, and what to do."""
    reason = f"the script needed more than its memory limit of {memory} MiB"
    return f"{reason}; its header can ask for more: memory = {2 * memory}"


def memory_of(queue: str, wanted: int | None) -> int:
    """Return how many MiB a job may take."""
    return wanted or MEMORY.get(queue, DEFAULT_MEMORY)
