"""What was done, by whom."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict

from portalfw.rest import Actor, method
from portalfw.rest.audit import Audit

MOST = 500


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

    @method(right="group:level1,level2,level3", http=("GET", "POST"), readonly=True, title="List audits")
    def list_audits(
        self, tag: str | None = None, user: str | None = None, changes: bool = False, limit: int = 50, offset: int = 0
    ) -> list[AuditRow]:
        """Return the newest calls first, of one object (``machineId:3``) or one user, or only changes, if asked."""
        asked = (("tags", tag), ("user", user), ("changes", changes or None))
        query = {name: value for name, value in asked if value}
        found = Audit.rows(query, sort="-date", skip=max(0, offset), limit=max(1, min(limit, MOST)))
        titles = {method.address: method.title for method in self.runtime.registry}
        return [_answer(row, titles) for row in found]


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
