"""Whether the platform is well."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, TypedDict

from portalfw.health.findings import State, worst
from portalfw.health.results import Message
from portalfw.rest import Actor, Arg, Columns, Listing, method

OPERATORS = "group:level1,level2,level3"
GRAVITY: dict[State, int] = {"ERROR": 4, "MISSED": 3, "WARNING": 2, "OK": 1, "SKIPPED": 0}


class OverallStatus(TypedDict):
    """The state of the whole, and the number of findings in each state."""

    state: str
    ok: int
    warning: int
    error: int
    skipped: int
    missed: int


class CategoryStatus(OverallStatus):
    """The state of one category; ``checked`` is when its least recent check ran."""

    category: str
    checked: float


class HealthMessage(TypedDict):
    """One finding; times in epoch seconds, the interval in seconds."""

    id: str
    check: str
    category: str
    state: str
    gravity: int  # 4 for an error down to 0 for what was skipped
    message: str
    node_id: int | None
    changed: float
    checked: float
    interval: float


MESSAGES = Columns(
    HealthMessage,
    *("id", "check", "category", "state", "message", "gravity", "interval", "changed", "checked"),
    times=("changed", "checked"),
    search=("message", "category", "check"),
    sort="-gravity,category,id",
    limit=100,
    most=500,
)


class Health(Actor, app="system"):
    """Health of the platform."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("health",))
    def get_overall_status(self) -> OverallStatus:
        """Return the state of the whole: OK, WARNING or ERROR."""
        return _status(self.runtime.health.messages())

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("health",))
    def get_status_summary(self) -> list[CategoryStatus]:
        """Return the state of each category."""
        found: dict[str, list[Message]] = {}
        for message in self.runtime.health.messages():
            found.setdefault(message.category, []).append(message)
        return [
            {"category": category, "checked": min(one.checked for one in messages), **_status(messages)}
            for category, messages in sorted(found.items())
        ]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("health",))
    def get_detailed_status(
        self,
        category: str | None = None,
        state: str | None = None,
        node_id: int | None = None,
        *,
        listing: Annotated[Listing, MESSAGES],
    ) -> list[HealthMessage]:
        """Return what the checks last found, the worst first: of a category, in a state, or about a node if asked."""
        return listing.of_rows(
            _row(message)
            for message in self.runtime.health.messages()
            if category in {None, message.category}
            and state in {None, message.state}
            and node_id in {None, message.node_id}
        )

    @method(right=OPERATORS, title="Check now")
    def run(self, category: Annotated[str | None, Arg("Category", help="All if empty.")] = None) -> OverallStatus:
        """Run the checks of a category, or all of them, now; return the state of the whole."""
        health = self.runtime.health
        for check in list(health.checks.values()):
            if category in {None, check.category}:
                health.run(check.name)
        return _status(health.messages())

    @method(right=OPERATORS, title="Check now")
    def refresh_command(self, cmd: Annotated[str, Arg("Check", help="Its name.")]) -> list[HealthMessage]:
        """Run one check now and return what it found."""
        self.runtime.health.run(cmd)
        return [_row(message) for message in self.runtime.health.messages() if message.check == cmd]


def _status(messages: list[Message]) -> OverallStatus:
    counts = Counter[State](message.state for message in messages)
    return {
        "state": worst(counts),
        "ok": counts["OK"],
        "warning": counts["WARNING"],
        "error": counts["ERROR"],
        "skipped": counts["SKIPPED"],
        "missed": counts["MISSED"],
    }


def _row(message: Message) -> HealthMessage:
    return {
        "id": f"{message.check}:{message.uid}",
        "check": message.check,
        "category": message.category,
        "state": message.state,
        "gravity": GRAVITY[message.state],
        "message": message.message,
        "node_id": message.node_id,
        "changed": message.changed,
        "checked": message.checked,
        "interval": message.interval,
    }
