"""One finding of a health check, and how a figure becomes a state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["OK", "WARNING", "ERROR", "SKIPPED"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check looked at. ``uid`` tells it from the others of its check, and stays from run to run."""

    category: str
    uid: str
    state: State
    message: str


def graded(value: float, warning: float, error: float) -> State:
    """Return the state of a figure of which more is worse; the graver limit is asked first.

    The originals asked ``if > warning … elif > error``, so that open files, network load and network stability could
    never be an ERROR (agents.md, section 4.3).
    """
    return "ERROR" if value > error else "WARNING" if value > warning else "OK"


def skipped(category: str, uid: str, why: str) -> list[Finding]:
    """Return what a check says that cannot be made here; the originals said nothing then, which looked like well."""
    return [Finding(category, uid, "SKIPPED", why)]


def told(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as a JumpScript returns them."""
    return [asdict(one) for one in findings]
