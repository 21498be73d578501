"""From what goes wrong to alerts: error conditions that are grave enough, and health checks that find errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from portalfw.alerts import notices
from portalfw.alerts.alerts import Cause, raise_alert, settle, unsettled
from portalfw.alerts.documents import RANK, Severity
from portalfw.errorconditions import ErrorCondition, Kind
from portalfw.health import mutes

if TYPE_CHECKING:
    from portalfw.health.results import Message
    from portalfw.runtime import Runtime

SEVERITY: Final[dict[Kind, Severity]] = {
    "duty": "CRITICAL",
    "background": "CRITICAL",
    "call": "CRITICAL",
    "job": "WARNING",
    "page": "WARNING",
    "macro": "INFO",
}
"""How grave an unexpected failure is, by what failed."""

HEALTH: Final = "health:"
ERROR: Final = "error:"
BATCH: Final = 100
MINUTE: Final = 60.0
FIELDS: Final = ("kind", "place", "error", "message", "count", "last")


def sweep(runtime: Runtime) -> None:
    """Raise, settle and escalate alerts, and write to people; for one process, every few seconds."""
    _error_conditions(runtime.settings.alert_severity)
    _health(runtime.health.unwell())
    notices.tell_overall(runtime.health.overall().state)
    if runtime.settings.alert_escalation:
        notices.escalate_overdue(runtime.settings.alert_escalation * MINUTE)
    notices.write_to_people(runtime)


def _error_conditions(least: Severity) -> None:
    """Tell of every condition that has happened since it was last told of; ``alerted`` is how far that went."""
    fresh = {"$expr": {"$gt": ["$last", {"$ifNull": ["$alerted", 0]}]}}
    for row in ErrorCondition.rows(fresh, fields=FIELDS, sort="last", limit=BATCH):
        severity = SEVERITY[row["kind"]]
        if RANK[severity] <= RANK[least]:
            raise_alert(_condition_cause(row, severity))
        ErrorCondition.collection().update_one({"_id": row["id"]}, {"$max": {"alerted": row["last"]}})


def _condition_cause(row: dict[str, Any], severity: Severity) -> Cause:
    text = f"{row['place']} failed: {row['error']}{': ' if row['message'] else ''}{row['message'][:200]}"
    return Cause(
        key=f"{ERROR}{row['id']}",
        category=f"error.{row['kind']}",
        severity=severity,
        description=text,
        last=row["last"],
        count=row["count"],
        page=f"/system/Error Condition?id={row['id']}",
    )


def _health(messages: list[Message]) -> None:
    """Raise an alert for each finding that is an ERROR; settle those whose finding is well again, or gone."""
    known = mutes.muted()
    heard = [one for one in messages if one.id not in known]
    bad = {f"{HEALTH}{one.id}" for one in heard if one.state not in {"OK", "SKIPPED"}}
    for one in heard:
        if one.state == "ERROR":
            raise_alert(_health_cause(one))
    for key in unsettled(HEALTH):
        if key not in bad:
            muted = key.removeprefix(HEALTH) in known
            settle(key, "Its finding was muted" if muted else "The health check finds it well again")


def _health_cause(message: Message) -> Cause:
    return Cause(
        key=f"{HEALTH}{message.id}",
        category=f"health.{message.category}",
        severity="CRITICAL",
        description=message.message,
        last=message.changed,
        page=f"/grid/Health?category={message.category}"
        if message.node_id is None
        else f"/grid/Status?id={message.node_id}",
    )
