"""What was done, by whom."""

from __future__ import annotations

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
    arguments: dict[str, Any]
    status: int
    error: str | None
    milliseconds: float
    tags: list[str]


class Audits(Actor, app="system"):
    """Audit records."""

    @method(right="group:level1,level2,level3", http=("GET", "POST"), readonly=True, title="List audits")
    def list_audits(
        self, tag: str | None = None, user: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[AuditRow]:
        """Return the newest calls first, of one object (``machineId:3``) or one user if given."""
        query = {name: value for name, value in (("tags", tag), ("user", user)) if value}
        found = Audit.rows(query, sort="-date", skip=max(0, offset), limit=max(1, min(limit, MOST)))
        return [
            {
                "id": row["id"],
                "time": row["date"].timestamp(),
                "user": row["user"],
                "address": row["address"],
                "call": row["call"],
                "arguments": row["arguments"],
                "status": row["status"],
                "error": row["error"],
                "milliseconds": round(row["duration"] * 1000, 1),
                "tags": row["tags"],
            }
            for row in found
        ]
