"""What a health check is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

State = Literal["OK", "WARNING", "ERROR", "SKIPPED", "MISSED"]
"""MISSED is never found: it is what an older finding becomes when its check is overdue."""

RANK: Final[dict[State, int]] = {"SKIPPED": 0, "OK": 1, "WARNING": 2, "MISSED": 2, "ERROR": 3}


@dataclass(frozen=True)
class Finding:
    """One thing that a check looked at.

    ``uid`` tells it from the check's others and stays the same from run to run, so that it is known since when it has
    been so; ``node_id`` is the node that it is about, if it is about one.
    """

    uid: str
    state: Literal["OK", "WARNING", "ERROR", "SKIPPED"]
    message: str
    node_id: int | None = None


CheckFunction = Callable[["Runtime"], Iterable[Finding]]
Judge = Callable[[int, Any], Any]
"""From a node's id and what its check returned to findings as a JumpScript returns them."""


@dataclass(frozen=True)
class HealthCheck:
    """A function that looks at something every ``every`` seconds, in one process of the installation."""

    name: str
    category: str
    every: float
    function: CheckFunction

    @property
    def title(self) -> str:
        """First line of what the function says of itself."""
        return (self.function.__doc__ or self.name).strip().split("\n", 1)[0]


def graded(value: float, *, warning: float, error: float) -> Literal["OK", "WARNING", "ERROR"]:
    """Return the state of a value of which more is worse."""
    return "ERROR" if value > error else "WARNING" if value > warning else "OK"


def worst(states: Iterable[State]) -> Literal["OK", "WARNING", "ERROR"]:
    """Return the state of a whole: what is overdue counts as a warning, what was skipped as nothing."""
    rank = max((RANK[state] for state in states), default=0)
    return "ERROR" if rank == RANK["ERROR"] else "WARNING" if rank == RANK["WARNING"] else "OK"
