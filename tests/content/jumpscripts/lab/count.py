"""Count aloud."""

from __future__ import annotations

from typing import Any, Literal

descr = "Count aloud."
category = "lab"
queue = "default"
timeout = 60


def action(
    count: int,
    every: float = 0.0,
    words: list[str] | None = None,
    how: Literal["up", "down"] = "up",
    more: dict[str, int] | None = None,
    *,
    fail: bool = False,
) -> dict[str, Any]:
    """Return what was counted, and what was asked."""
    import time

    for number in range(count):
        print(f"{how} {number}", flush=True)  # noqa: T201 - what a job prints is its output
        time.sleep(every)
    if fail:
        raise ValueError("asked to fail")
    return {"counted": count, "words": words, "more": more}
