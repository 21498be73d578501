"""What was done, by whom."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, TypedDict

from portalfw.console import EVENTS as CONSOLE_EVENTS
from portalfw.errors import NotFoundError
from portalfw.rest import Actor, Arg, Columns, Listing, method
from portalfw.rest.audit import Audit
from portalfw.rest.columns import Column
from portalfw.rest.conditions import Kind, condition

OPERATORS = "group:level1,level2,level3"
AUDITS = Columns(
    Audit,
    *("id", "user", "address", "via", "call", "changes", "status", "error", "tags"),
    search=("user", "call", "address", "error", "tags", "id"),
    sort="-time",
    limit=50,
    most=500,
    time=Column("date", "date"),
    responsetime=Column("duration", "number"),
)
OLDER: Final = {"restcall": "call", "statuscode": "status", "responsetime": "duration", "epoch": "date"}
"""Arguments of older clients, and the fields that they are about."""

KINDS: Final[dict[str, Kind]] = {"call": "text", "status": "number", "duration": "number", "date": "date"}


class AuditRow(TypedDict):
    """One call."""

    id: str
    time: float
    user: str
    address: str
    call: str
    title: str
    arguments: dict[str, Any]
    status: int
    result: str
    error: str | None
    milliseconds: float
    tags: list[str]


class Audits(Actor, app="system"):
    """Audit records."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, title="List audits")
    def list_audits(
        self,
        tag: str | None = None,
        user: str | None = None,
        changes: bool = False,
        username: Annotated[str | None, Arg("User", help="The same as user.")] = None,
        restcall: Annotated[str | None, Arg("Call", help="A part of its address, or =exactly.")] = None,
        statuscode: Annotated[str | None, Arg("Status", help="Such as 404 or >=400.")] = None,
        responsetime: Annotated[str | None, Arg("Seconds", help="Such as >0.5.")] = None,
        epoch: Annotated[
            str | None, Arg("Time", help="Since then: -4d, -1h, 2026-11-22; or two with .. between.")
        ] = None,
        page: Annotated[int | None, Arg("Page", help="From 1; of size rows.")] = None,
        size: Annotated[int | None, Arg("Size", help="The same as limit.")] = None,
        *,
        listing: Annotated[Listing, AUDITS],
    ) -> list[AuditRow]:
        """Return the newest calls first, of one object (``machineId:3``) or one user, or only changes, if asked."""
        if size is not None:
            listing.limit = max(1, min(size, AUDITS.most))
        if page is not None:
            listing.offset = (max(1, min(page, 10**6)) - 1) * listing.limit
        plain = (("tags", tag), ("user", user or username), ("changes", changes or None))
        query: dict[str, Any] = {name: value for name, value in plain if value}
        older = {"restcall": restcall, "statuscode": statuscode, "responsetime": responsetime, "epoch": _since(epoch)}
        query |= {OLDER[name]: _asked(name, given) for name, given in older.items() if given}
        rows = listing.of(Audit, query)
        titles = self._titles()
        return rows.answered(_answer(row, titles) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, title="Get audit")
    def get_audit(self, id: Annotated[str, Arg("Request", help="The id that its answer carried.")]) -> AuditRow:  # noqa: A002 - the name on the wire
        """Return the record of one call."""
        self.runtime.dispatcher.audit.flush()
        rows = Audit.rows({"_id": id}, limit=1)
        if not rows:
            raise NotFoundError(f"There is no record of a call {id}; they are dropped after 90 days.")
        return _answer(rows[0], self._titles())

    def _titles(self) -> dict[str, str]:
        return CONSOLE_EVENTS | {method.address: method.title for method in self.runtime.registry}


def _since(epoch: str | None) -> str | None:
    """Let a bare time mean all from then on."""
    bare = epoch and ".." not in epoch and epoch.strip()[:1] not in {"<", ">", "=", "!"}
    return f">={epoch}" if bare else epoch


def _asked(name: str, given: str) -> dict[str, Any]:
    return condition(name, KINDS[OLDER[name]], given).query()


def _answer(row: dict[str, Any], titles: dict[str, str]) -> AuditRow:
    return {
        "id": row["id"],
        "time": row["date"].replace(tzinfo=dt.UTC).timestamp(),
        "user": row["user"],
        "address": row["address"],
        "call": row["call"],
        "title": titles.get(row["call"], row["call"]),
        "arguments": row["arguments"],
        "status": row["status"],
        "result": "OK" if row["error"] is None else "ERROR",
        "error": row["error"],
        "milliseconds": round(row["duration"] * 1000, 1),
        "tags": row["tags"],
    }
