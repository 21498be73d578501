"""Schedules for operators: what runs again and again, what became of each occurrence, and making one."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

from mongoengine import NotUniqueError
from pymongo.errors import DuplicateKeyError

from portalfw.controller.arguments import check_arguments
from portalfw.controller.documents import Schedule, ScheduleRun, Script
from portalfw.controller.fanout import check_batch
from portalfw.controller.schedules import GRACE, first_due, run_now
from portalfw.controller.timing import LONGEST, read_when
from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.masking import masked
from portalfw.rest import Actor, Arg, Columns, Listing, NameOf, method
from portalfw.rest.naming import wire_name

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
    priority: int
    grace: float  # how late an occurrence may be and still run
    last: float | None  # when the last occurrence was decided
    last_status: str  # what became of it: RUN, QUEUED …
    last_job: int | None


class RunRow(TypedDict):
    """What became of one occurrence, or of ``count`` that were missed together, from ``due`` to ``until``."""

    id: int
    schedule: int
    existing: int | None  # the schedule, if it is still there
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

    @method(
        right=OPERATORS, http=("GET", "POST"), readonly=True, live=("schedule", "schedule_run"), title="List schedules"
    )
    def list_(self, listing: Annotated[Listing, SCHEDULES]) -> list[ScheduleRow]:
        """Return the schedules, those of scripts and those that people made."""
        rows = listing.of(Schedule)
        return rows.answered(_rows(list(rows)))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("schedule:{schedule_id}", "schedule_run"))
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

    @method(right=ENGINEERS, title="Change schedule")
    def update(
        self,
        schedule_id: ScheduleId,
        name: Annotated[str | None, Arg("Name")] = None,
        when: Annotated[
            str | None, Arg("When", help="Seconds, or cron in UTC: five fields, or six with the seconds first.")
        ] = None,
        roles: Annotated[list[str] | None, Arg("Roles", help="A node must have all of them.")] = None,
        gid: Annotated[int | None, Arg("Grid", help="Only nodes of this grid; 0 is all.")] = None,
        on: Annotated[
            Literal["all", "any"] | None, Arg("On", help="All such nodes that are there, or any one.")
        ] = None,
        args: Annotated[dict[str, Any] | None, Arg("Arguments", help="All of them, as a JSON object.")] = None,
        *,
        at_boot: Annotated[bool | None, Arg("At boot", help="Also on each node that has just booted.")] = None,
        jitter: Annotated[float | None, Arg("Jitter", help="Begin up to so many seconds later.")] = None,
        overlap: Annotated[
            Literal["skip", "queue", "parallel"] | None, Arg("Overlap", help="While the run before goes on still.")
        ] = None,
        batch: Annotated[int | None, Arg("At a time", help="Nodes that have their turn together; 0 is all.")] = None,
        priority: Annotated[int | None, Arg("Priority", help="Higher goes first; 0 is usual.")] = None,
        timeout: Annotated[float | None, Arg("Time limit", help="Seconds; 0 is what the script says.")] = None,
        grace: Annotated[float | None, Arg("Grace", help="Seconds by which it may be late and still runs.")] = None,
    ) -> bool:
        """Change what is given of a schedule, from now on; of a script's, name, time and roles are fixed."""
        row = _find(schedule_id)
        given: dict[str, Any] = {
            "name": name or None,
            "when": when,
            "roles": roles,
            "gid": gid,
            "on": on,
            "args": args,
            "at_boot": at_boot,
        }
        given |= {"jitter": jitter, "overlap": overlap, "batch": batch, "priority": priority, "timeout": timeout}
        changes = {key: value for key, value in {**given, "grace": grace}.items() if value is not None}
        _check_origin(row, changes)
        if args is not None:
            changes["args"] = self._arguments(row, args)
        check_batch(batch or 0)
        _check_spans(jitter=jitter, timeout=timeout, grace=grace)
        changes |= {key: changes[key] or None for key in ("gid", "timeout") if key in changes}
        changes |= _timing(row, changes)
        try:
            Schedule.collection().update_one({"_id": schedule_id}, {"$set": changes or {"enabled": row["enabled"]}})
        except DuplicateKeyError as error:
            raise ConflictError(f"There is a schedule {name} already.", detail={"argument": "name"}) from error
        return True

    @method(right=ENGINEERS, title="Run now", creates="jobId")
    def run_now(self, schedule_id: ScheduleId) -> int:
        """Run a schedule once now, whether it is on or not, besides its own times; return the job's id."""
        return run_now(_find(schedule_id), self.runtime.controller.orders, self.call.principal.name)

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

    def _arguments(self, row: Mapping[str, Any], args: dict[str, Any]) -> dict[str, Any]:
        """Return arguments that a schedule's script takes; what was shown as masked stays as it is."""
        found = self.runtime.controller.scripts.current(row["script"])
        secrets = found["header"].get("secrets") or ()
        self.call.keep_off_record("args", secrets)
        shown = masked(row.get("args") or {}, secrets)
        kept = {key: row["args"][key] for key, value in args.items() if key in shown and value == shown[key]}
        check_arguments(found, args | kept)
        return args | kept


def _check_origin(row: Mapping[str, Any], changes: Collection[str]) -> None:
    fixed = [name for name in ("name", "when", "roles", "at_boot") if name in changes]
    if row["origin"] == "script" and fixed:
        raise ConflictError(
            f"The header of {row['script']} says the {fixed[0].replace('_', ' ')} of this schedule; change it there.",
            detail={"argument": wire_name(fixed[0])},
        )


def _timing(row: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return when a schedule is due next, if that is another time than before; raises InvalidError."""
    if not changes.keys() & {"name", "when", "jitter", "at_boot"}:
        return {}
    moment = row.get("when")
    if "when" in changes:
        moment = read_when(changes["when"]) if changes["when"] else None
    if moment is None and not changes.get("at_boot", row.get("at_boot")):
        raise InvalidError("Give when, or atBoot.", detail={"argument": "when"})
    jitter = changes.get("jitter", row.get("jitter") or 0.0)
    return {"when": moment, **first_due(changes.get("name", row["name"]), moment, jitter)}


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
    last = _last_runs([row["id"] for row in rows])
    return [_row(row, secrets.get(row["script"], ()), last.get(row["id"], {})) for row in rows]


def _last_runs(schedules: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the last run of each schedule that has had one; the index on schedule and time leads to them."""
    first = {name: {"$first": f"${name}"} for name in ("at", "status", "job")}
    steps: list[dict[str, Any]] = [
        {"$match": {"schedule": {"$in": list(schedules)}}},
        {"$sort": {"schedule": 1, "at": -1}},
        {"$group": {"_id": "$schedule", **first}},
    ]
    return {row["_id"]: row for row in ScheduleRun.collection().aggregate(steps)}


def _row(row: Mapping[str, Any], secrets: Collection[str], last: Mapping[str, Any]) -> ScheduleRow:
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
        "priority": row.get("priority") or 0,
        "grace": row.get("grace") or GRACE,
        "last": last.get("at"),
        "last_status": last.get("status") or "",
        "last_job": last.get("job"),
    }


def _run(row: Mapping[str, Any], names: Mapping[int, str]) -> RunRow:
    return {
        "id": row["id"],
        "schedule": row["schedule"],
        "existing": row["schedule"] if row["schedule"] in names else None,
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
