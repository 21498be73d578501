"""What failed unexpectedly, for those who mend it."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, TypedDict

from portalfw.auth.principal import Principal
from portalfw.errorconditions import ErrorCondition
from portalfw.errors import InvalidError, NotFoundError
from portalfw.rest import Actor, Arg, Columns, Listing, method

OPERATORS = "group:level1,level2,level3"
UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
AGE = re.compile(r"-(\d{1,6})([mhdw])")
FIELDS = ["kind", "place", "error", "message", "count", "first", "last"]
CONDITIONS = Columns(
    ErrorCondition,
    "id",
    *FIELDS,
    times=("first", "last"),
    search=("error", "place", "message", "id"),
    sort="-last",
    limit=50,
    most=500,
)

ConditionId = Annotated[str, Arg("Error condition", help="Its id, or the id that somebody was told.")]


class ConditionRow(TypedDict):
    """One way in which something fails."""

    id: str
    kind: str
    place: str
    error: str
    message: str
    count: int
    first: float
    last: float


class Occurrence(TypedDict):
    """One time that it happened; ``id`` is what the person or program concerned was told."""

    id: str
    time: float
    user: str
    job: int | None


class Condition(ConditionRow):
    """An error condition with its last occurrences."""

    trace: list[str]  # lines; none for those who may not see them
    traceHidden: bool
    occurrences: list[Occurrence]


class ErrorConditionHandler(Actor, app="system"):
    """Error conditions."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("error_condition",))
    def list_(self, kind: str | None = None, *, listing: Annotated[Listing, CONDITIONS]) -> list[ConditionRow]:
        """Return what failed last first; of one kind (call, macro, page, duty, background, job) if asked."""
        rows = listing.of(ErrorCondition, {"kind": kind} if kind else {}, fields=FIELDS)
        return rows.answered(_row(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("error_condition:{id}",))
    def get(self, id: ConditionId) -> Condition:  # noqa: A002 - the name on the wire
        """Return one with its last occurrences; the stack trace is for level2 and above."""
        row = _find(id)
        seen = _may_see_traces(self.call.principal)
        return {
            **_row(row),
            "trace": _lines(row["trace"]) if seen else [],
            "traceHidden": bool(row["trace"]) and not seen,
            "occurrences": [_occurrence(one) for one in reversed(row["occurrences"])],
        }

    @method(right=OPERATORS, destructive=True, title="Delete error condition")
    def delete(self, id: ConditionId) -> bool:  # noqa: A002 - the name on the wire
        """Forget one; it comes back when it happens again."""
        ErrorCondition.collection().delete_one({"_id": _find(id)["id"]})
        return True

    @method(right=OPERATORS, destructive=True, title="Purge error conditions")
    def purge(self, age: Annotated[str, Arg("Age", help="-3d for what last happened over three days ago.")]) -> int:
        """Forget what has not happened since then (``-30m``, ``-12h``, ``-3d``, ``-2w``); return how many."""
        found = AGE.fullmatch(age.strip())
        if found is None:
            raise InvalidError(f"age {age!r} must be like -30m, -12h, -3d or -2w.", detail={"argument": "age"})
        before = time.time() - int(found[1]) * UNITS[found[2]]
        return int(ErrorCondition.collection().delete_many({"last": {"$lt": before}}).deleted_count)


def _may_see_traces(principal: Principal) -> bool:
    return principal.is_admin or principal.has_group("level2", "level3")


def _lines(trace: str) -> list[str]:
    """Return the lines of a trace without those that only underline the one before."""
    return [line for line in trace.splitlines() if line.strip(" ^~")]


def _find(identity: str) -> dict[str, Any]:
    rows = ErrorCondition.rows({"$or": [{"_id": identity}, {"occurrences.id": identity}]}, limit=1)
    if not rows:
        raise NotFoundError(f"Error condition {identity} does not exist; it is dropped 30 days after it last happened.")
    return rows[0]


def _row(row: dict[str, Any]) -> ConditionRow:
    return {
        "id": row["id"],
        "kind": row["kind"],
        "place": row["place"],
        "error": row["error"],
        "message": row["message"],
        "count": row["count"],
        "first": row["first"],
        "last": row["last"],
    }


def _occurrence(one: dict[str, Any]) -> Occurrence:
    job = str(one["id"]).removeprefix("job-")
    return {"id": one["id"], "time": one["at"], "user": one["user"], "job": int(job) if job.isdecimal() else None}
