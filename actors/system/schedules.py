"""Schedules for operators: what runs again and again, what became of each occurrence, and making one."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

from mongoengine import NotUniqueError

from portalfw.controller.arguments import check_arguments
from portalfw.controller.documents import Schedule, ScheduleRun, Script
from portalfw.controller.fanout import check_batch
from portalfw.controller.schedules import GRACE, first_due
from portalfw.controller.timing import LONGEST, read_when
from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.masking import masked
from portalfw.rest import Actor, Arg, Columns, Listing, NameOf, method

OPERATORS = "group:level1,level2,level3"
ENGINEERS = "group:level2,level3"
FIELDS = ["name", "script", "roles", "gid", "at_boot", "enabled", "origin", "overlap", "due"]
SCHEDULES = Columns(
    Schedule, "id", *FIELDS, times=("due",), search=("name", "script", "roles", "id"), sort="name", limit=50, most=500
)
RUN_FIELDS = ["schedule", "due", "status", "reason", "count", "job", "at", "until", "node_id"]
RUNS = Columns(
    ScheduleRun,
    "id",
    *RUN_FIELDS,
    times=("due", "at", "until"),
    search=("reason", "name", "status"),
    sort="-at",
    limit=50,
    most=500,
    name=NameOf(Schedule, "schedule"),
)

ScheduleId = Annotated[int, Arg("Schedule", choices="system/schedules/list")]
When = Annotated[str, Arg("When", help="Seconds, or cron in UTC: five fields, or six with the seconds first.")]


class ScheduleRow(TypedDict):
    """One schedule; times in epoch seconds, spans in seconds."""

    id: int
    name: str
    script: str
    when: str  # seconds or a cron expression; nothing if it runs at boots only
    at_boot: bool  # whenever a node has booted
    roles: list[str]  # a node must have all of them
    gid: int | None
    on: str  # all such nodes that are there, or any one
    overlap: str
    jitter: float
    batch: int
    enabled: bool
    origin: str  # script, if the header of its JumpScript made it, or operator
    created_by: str
    due: float | None  # the next occurrence
    args: dict[str, Any]  # without secrets
    timeout: float | None
    grace: float  # how late an occurrence may be and still run


class RunRow(TypedDict):
    """What became of one occurrence, or of ``count`` that were missed together, from ``due`` to ``until``."""

    id: int
    schedule: int
    name: str
    status: str  # RUN, QUEUED behind the run before, SKIPPED because of it, MISSED or FAILED
    reason: str
    due: float
    until: float | None
    count: int
    at: float  # when this was decided
    job: int | None
    node_id: int | None  # of a boot


class Schedules(Actor, app="system"):
    """What runs again and again."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("schedule",), title="List schedules")
    def list_(self, listing: Annotated[Listing, SCHEDULES]) -> list[ScheduleRow]:
        """Return the schedules, those of scripts and those that people made."""
        rows = listing.of(Schedule)
        return rows.answered(_rows(list(rows)))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("schedule:{schedule_id}",))
    def get(self, schedule_id: ScheduleId) -> ScheduleRow:
        """Return one schedule."""
        return _rows([_find(schedule_id)])[0]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("schedule_run",), title="List runs")
    def list_runs(
        self,
        schedule_id: int | None = None,
        status: Literal["RUN", "QUEUED", "SKIPPED", "MISSED", "FAILED"] | None = None,
        *,
        listing: Annotated[Listing, RUNS],
    ) -> list[RunRow]:
        """Return what became of the occurrences, the newest first, of one schedule if given."""
        given = {"schedule": schedule_id, "status": status}
        rows = listing.of(ScheduleRun, {name: value for name, value in given.items() if value is not None})
        names = {row["id"]: row["name"] for row in Schedule.rows(fields=["name"])}
        return rows.answered(_run(row, names) for row in rows)

    @method(right=ENGINEERS, title="Create schedule", creates="scheduleId")
    def create(
        self,
        name: Annotated[str, Arg("Name")],
        script: Annotated[str, Arg("JumpScript", choices="system/agentcontroller/listJumpscripts")],
        when: When = "",
        roles: Annotated[
            list[str] | None, Arg("Roles", help="A node must have all of them; every node if empty.")
        ] = None,
        gid: Annotated[int | None, Arg("Grid", help="Only nodes of this grid.")] = None,
        on: Annotated[Literal["all", "any"], Arg("On", help="All such nodes that are there, or any one.")] = "all",
        args: Annotated[dict[str, Any] | None, Arg("Arguments", help="As a JSON object, by name.")] = None,
        *,
        at_boot: Annotated[bool, Arg("At boot", help="Also on each node that has just booted.")] = False,
        jitter: Annotated[float, Arg("Jitter", help="Begin up to so many seconds later, by chance.")] = 0.0,
        overlap: Annotated[
            Literal["skip", "queue", "parallel"], Arg("Overlap", help="While the run before goes on still.")
        ] = "skip",
        batch: Annotated[int, Arg("At a time", help="Nodes that have their turn together; 0 is all.")] = 0,
        priority: Annotated[int, Arg("Priority", help="Higher goes first; 0 is usual.")] = 0,
        timeout: Annotated[float | None, Arg("Time limit", help="Seconds; by default what the script says.")] = None,
        grace: Annotated[float, Arg("Grace", help="Seconds by which it may be late and still runs.")] = GRACE,
    ) -> int:
        """Have a JumpScript run again and again, from now on; return the schedule's id."""
        found = self.runtime.controller.scripts.current(script)
        self.call.keep_off_record("args", found["header"].get("secrets") or ())
        check_arguments(found, args or {})
        check_batch(batch)
        _check_spans(jitter=jitter, timeout=timeout, grace=grace)
        if not (when or at_boot):
            raise InvalidError("Give when, or atBoot.", detail={"argument": "when"})
        moment = read_when(when) if when else None
        values: dict[str, Any] = {
            "roles": roles or [],
            "gid": gid,
            "on": on,
            "args": args or {},
            "at_boot": at_boot,
            "batch": batch,
        }
        values |= {"jitter": jitter, "overlap": overlap, "priority": priority, "timeout": timeout, "grace": grace}
        values |= {"created": time.time(), "created_by": self.call.principal.name, **first_due(name, moment, jitter)}
        try:
            return int(Schedule.create(name=name, script=script, when=moment, **values).id)
        except NotUniqueError as error:
            raise ConflictError(f"There is a schedule {name} already.", detail={"argument": "name"}) from error

    @method(right=ENGINEERS, title="Enable schedule")
    def enable(self, schedule_id: ScheduleId) -> bool:
        """Let a schedule run; what would have been due until now is not missed."""
        row = _find(schedule_id)
        due = first_due(row["name"], row.get("when"), row.get("jitter") or 0.0)
        Schedule.collection().update_one({"_id": schedule_id, "enabled": False}, {"$set": {"enabled": True, **due}})
        return True

    @method(right=ENGINEERS, title="Disable schedule")
    def disable(self, schedule_id: ScheduleId) -> bool:
        """Have a schedule rest; a run that goes on is not ended."""
        _find(schedule_id)
        Schedule.collection().update_one({"_id": schedule_id}, {"$set": {"enabled": False}})
        return True

    @method(right=ENGINEERS, destructive=True, title="Delete schedule")
    def delete(self, schedule_id: ScheduleId) -> bool:
        """Delete a schedule that somebody made; that of a script goes with its header, and can be disabled."""
        if _find(schedule_id)["origin"] == "script":
            raise ConflictError("The header of its JumpScript makes this schedule; disable it instead.")
        Schedule.collection().delete_one({"_id": schedule_id})
        return True


def _check_spans(**spans: float | None) -> None:
    for name, seconds in spans.items():
        if seconds is not None and not 0 <= seconds <= LONGEST:
            raise InvalidError(f"{name}: from 0 to {LONGEST:.0f} seconds.", detail={"argument": name})


def _find(schedule_id: int) -> dict[str, Any]:
    rows = Schedule.rows({"_id": schedule_id}, limit=1)
    if not rows:
        raise NotFoundError(f"Schedule {schedule_id} does not exist.")
    return rows[0]


def _rows(rows: Sequence[Mapping[str, Any]]) -> list[ScheduleRow]:
    """Return schedules as they are shown; what their scripts call secret is looked up at once."""
    wanted = {"name": {"$in": [row["script"] for row in rows]}, "current": True}
    secrets = {
        one["name"]: one["header"].get("secrets") or () for one in Script.rows(wanted, fields=["name", "header"])
    }
    return [_row(row, secrets.get(row["script"], ())) for row in rows]


def _row(row: Mapping[str, Any], secrets: Collection[str]) -> ScheduleRow:
    when = row.get("when")
    return {
        "id": row["id"],
        "name": row["name"],
        "script": row["script"],
        "when": "" if when is None else when if isinstance(when, str) else f"{when:g}",
        "at_boot": bool(row.get("at_boot")),
        "roles": row.get("roles") or [],
        "gid": row.get("gid"),
        "on": row.get("on") or "all",
        "overlap": row.get("overlap") or "skip",
        "jitter": row.get("jitter") or 0.0,
        "batch": row.get("batch") or 0,
        "enabled": bool(row["enabled"]),
        "origin": row["origin"],
        "created_by": row.get("created_by") or "",
        "due": row.get("due") if row["enabled"] else None,
        "args": masked(row.get("args") or {}, secrets),
        "timeout": row.get("timeout"),
        "grace": row.get("grace") or GRACE,
    }


def _run(row: Mapping[str, Any], names: Mapping[int, str]) -> RunRow:
    return {
        "id": row["id"],
        "schedule": row["schedule"],
        "name": names.get(row["schedule"], f"schedule {row['schedule']}"),
        "status": row["status"],
        "reason": row.get("reason") or "",
        "due": row["due"],
        "until": row.get("until"),
        "count": row.get("count") or 1,
        "at": row["at"],
        "job": row.get("job"),
        "node_id": row.get("node_id"),
    }
