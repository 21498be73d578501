"""Schedules: each occurrence is run once, however many processes look after them, and none vanishes without a word.

Every process looks every half second. What is to become of an occurrence is decided by whoever inserts its record first
(unique by schedule and occurrence); its job is unique by the same. So all may do everything again, and a process that
is killed in between leaves nothing that the next one would not finish. Only then the schedule goes on to its next one.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import gevent
from pymongo.errors import DuplicateKeyError, PyMongoError

from agent.protocol import Alone
from portalfw.controller import output, transitions
from portalfw.controller.documents import WORKING, Job, Schedule, ScheduleRun, Script
from portalfw.controller.orders import Orders
from portalfw.controller.submission import EXPIRES, Terms, draft, insert
from portalfw.controller.targets import Target
from portalfw.controller.timing import check_when, following, overdue, shifted
from portalfw.errors import InvalidError, PortalError

log = logging.getLogger(__name__)

LOOK: Final = 0.5
"""Seconds between looks."""

GRACE: Final = 60.0
"""Seconds by which an occurrence may be late and still runs, unless its schedule says otherwise."""

COUNTED: Final = 1000
"""Missed occurrences that are told as one record; of more, the next look goes on."""

UNFINISHED: Final = 5.0
"""Seconds after which an occurrence that is to run and has no job is taken over."""

SKIP, QUEUE, PARALLEL = OVERLAPS = ("skip", "queue", "parallel")
"""What to do when the run before goes on still: leave this one out, run it afterwards, or beside it."""

RUN: Final = "RUN"
MISSED: Final = "MISSED"
SKIPPED: Final = "SKIPPED"
QUEUED: Final = "QUEUED"
FAILED: Final = "FAILED"

Row = dict[str, Any]


class Schedules:
    """The schedules of the installation, as one process looks after them."""

    def __init__(self, orders: Orders, off: frozenset[str] = frozenset()) -> None:
        """Have jobs made by ``orders``; schedules of scripts of the categories ``off`` begin switched off."""
        self._orders = orders
        self._off = off
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Look after them from now on."""
        self._greenlet = gevent.spawn(self._serve)

    def stop(self) -> None:
        """Look after them no more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def sync(self) -> None:
        """Bring the schedules of scripts to what their headers say now; whether one is enabled people decide."""
        wanted = [row for row in Script.rows({"current": True}, fields=["name", "header"]) if _is_scheduled(row)]
        for row in wanted:
            try:
                _sync_one(row, begin_on=row["header"].get("category") not in self._off)
            except (InvalidError, DuplicateKeyError) as error:
                log.error("JumpScript %s has no schedule: %s", row["name"], error)  # noqa: TRY400 - the reason is all there is
        names = [row["name"] for row in wanted]
        Schedule.collection().delete_many({"origin": "script", "name": {"$nin": names}})

    def tick(self, now: float | None = None) -> None:
        """Do what is due."""
        now = now or time.time()
        for row in Schedule.rows({"enabled": True, "fire": {"$lte": now}}, sort="fire"):
            self._occur(row, now)
        for run in ScheduleRun.rows({"status": QUEUED}, sort="at"):
            self._run_queued(run)
        for run in ScheduleRun.rows({"status": RUN, "job": None, "at": {"$lt": now - UNFINISHED}}, sort="at"):
            self._submit(run)

    def booted(self, node: Row, boot_id: str) -> None:
        """Run what is to run when a node has booted; to be told at each hello of a new boot, any number of times."""
        if node["status"] not in WORKING:
            return
        for row in Schedule.rows({"enabled": True, "at_boot": True}):
            if _fits(row, node):
                run = _record(row, f"boot:{node['id']}:{boot_id}", RUN, time.time(), node_id=node["id"])
                self._submit(run)

    def _serve(self) -> None:
        while True:
            gevent.sleep(LOOK)
            try:
                self.tick()
            except PyMongoError as error:  # nothing is lost: the next look finds it still due
                log.warning("Schedules could not be looked after: %s", error)

    def _occur(self, row: Row, now: float) -> None:
        grace = row.get("grace") or GRACE
        due = row["due"]
        if now - row["fire"] > grace:
            dues = overdue(row["when"], due, now, COUNTED)
            last = dues[-1]
            in_time = now - shifted(row["name"], last, row["jitter"]) <= grace or len(dues) == COUNTED
            missed = dues[:-1] if in_time else dues
            if missed:
                text = "no controller was there"
                _record(row, _key(due), MISSED, due, reason=text, until=missed[-1], count=len(missed))
            _go_on(row, last if in_time else following(row["when"], now))
            return
        status, reason = _decide(row)
        run = _record(row, _key(due), status, due, reason=reason)
        if run["status"] == RUN:
            self._submit(run)
        _go_on(row, following(row["when"], due))

    def _run_queued(self, run: Row) -> None:
        if not _is_busy(run["schedule"]):
            mine = ScheduleRun.take({"_id": run["id"], "status": QUEUED}, {"$set": {"status": RUN, "at": time.time()}})
            if mine is not None:
                self._submit(mine)

    def _submit(self, run: Row) -> None:
        """Make the job of an occurrence, unless it has one."""
        if run.get("job") is not None or run["status"] != RUN:
            return
        rows = Schedule.rows({"_id": run["schedule"]}, limit=1)
        changes: Row
        try:
            changes = (
                {"job": self._order(rows[0], run)} if rows else {"status": SKIPPED, "reason": "the schedule is gone"}
            )
        except PortalError as error:
            changes = {"status": FAILED, "reason": error.message}
        except DuplicateKeyError:
            (job,) = Job.rows({"occurrence": _occurrence(run)}, fields=["_id"], limit=1)
            changes = {"job": job["id"]}
        ScheduleRun.collection().update_one({"_id": run["id"]}, {"$set": changes})

    def _order(self, row: Row, run: Row) -> int:
        marks = (("schedule", row["id"]), ("occurrence", _occurrence(run)))
        return _order(self._orders, row, f"schedule {row['name']}", marks, run.get("node_id"))


def run_now(row: Row, orders: Orders, by: str) -> int:
    """Run a schedule's script once, beside its own times, as ``by`` wishes; return the job's id."""
    return _order(orders, row, by, (("schedule", row["id"]),))


def _order(orders: Orders, row: Row, by: str, marks: tuple[tuple[str, Any], ...], node_id: int | None = None) -> int:
    terms = Terms(row.get("timeout"), row.get("expires") or EXPIRES, row.get("priority") or 0, by, marks)
    args, target = row.get("args") or {}, Target(tuple(row["roles"] or ()), row.get("gid"))
    if node_id is not None:
        return orders.on_node(row["script"], node_id, args, terms)
    if row.get("on") == "any":
        return orders.on_any(row["script"], target, args, terms)
    return orders.on_all(row["script"], target, args, terms, batch=row.get("batch") or 0, connected=True)


def take_alone(node_id: int, told: Alone) -> bool:
    """Keep what a node ran while no controller was there as a job that has ended; False if it is not to be kept."""
    schedule = next(iter(Schedule.rows({"_id": told.schedule, "offline": True}, limit=1)), None)
    script = next(iter(Script.rows({"sha256": told.sha256}, limit=1)), None)
    if schedule is None or script is None or script["name"] != schedule["script"]:
        return False
    result = told.result
    marks = (("schedule", schedule["id"]), ("occurrence", f"{schedule['id']}:alone:{node_id}:{told.key}"))
    terms = Terms(submitted_by=f"schedule {schedule['name']}", marks=marks)
    row = draft(script, schedule.get("args") or {}, terms)
    row |= {"node_id": node_id, "attempt": 1, "status": result.state, "reason": result.reason, "expires": None}
    row |= {"created": result.started or result.ended, "started": result.started, "ended": result.ended}
    row |= {"result": result.result, "traceback": result.traceback, "seconds": result.seconds}
    row["history"] = [{"at": result.ended, "status": result.state, "reason": "no controller was there"}]
    try:
        job = insert(row)
    except DuplicateKeyError:
        job = Job.rows({"occurrence": row["occurrence"]}, fields=["_id"], limit=1)[0]["id"]
    output.store(job, 1, result.offset, result.lines)
    return True


def _fits(row: Row, node: Row) -> bool:
    return set(row["roles"] or ()) <= set(node["roles"] or ()) and row.get("gid") in {None, node.get("gid")}


def first_due(name: str, when: Any, jitter: float) -> Row:
    """Return ``due`` and ``fire`` of a schedule that begins now; nothing of one that runs only at boots."""
    if when is None:
        return {"due": None, "fire": None}
    due = following(when, time.time())
    return {"due": due, "fire": shifted(name, due, jitter)}


def _is_scheduled(script: Row) -> bool:
    header = script["header"]
    return header.get("period") is not None or bool(header.get("startatboot"))


def _sync_one(script: Row, *, begin_on: bool) -> None:
    header, name = script["header"], script["name"]
    period = header.get("period")
    when = None if period is None else check_when(period)
    said = {
        "script": name,
        "roles": list(header.get("roles") or ()),
        "at_boot": bool(header.get("startatboot")),
        "offline": bool(header.get("offline")),
        "origin": "script",
    }
    begin = {"when": when, **first_due(name, when, 0.0)}
    known = Schedule.collection().find_one({"name": name})
    if known is None:
        fixed: Row = {"args": {}, "gid": None, "on": "all", "jitter": 0.0, "overlap": SKIP}
        fixed["enabled"] = header["enable"] and begin_on
        created = {"_id": Schedule.next_id(), "name": name, "created": time.time(), "created_by": "script"}
        Schedule.collection().insert_one({**created, **fixed, **said, **begin})
    elif known["origin"] != "script":
        raise InvalidError(f"somebody has made a schedule of the name {name}.")
    else:
        changes = {**said, **(begin if known.get("when") != when else {})}
        Schedule.collection().update_one({"_id": known["_id"]}, {"$set": changes})


def _decide(row: Row) -> tuple[str, str]:
    overlap = row.get("overlap") or SKIP
    if overlap == PARALLEL or not _is_busy(row["id"]):
        return RUN, ""
    if overlap == QUEUE and not ScheduleRun.rows({"schedule": row["id"], "status": QUEUED}, fields=["_id"], limit=1):
        return QUEUED, "the run before goes on still"
    return SKIPPED, "the run before goes on still" + (", and one waits already" if overlap == QUEUE else "")


def _is_busy(schedule: int) -> bool:
    return bool(Job.rows({"schedule": schedule, "status": {"$in": transitions.OPEN}}, fields=["_id"], limit=1))


def _record(row: Row, key: str, status: str, due: float, **more: Any) -> Row:
    """Say what becomes of an occurrence, unless that was said before; return what was said first."""
    values = {"schedule": row["id"], "key": key, "status": status, "due": due, "at": time.time(), "count": 1, **more}
    try:
        ScheduleRun.collection().insert_one({"_id": ScheduleRun.next_id(), "job": None, **values})
    except DuplicateKeyError:
        log.debug("occurrence %s of schedule %s was taken by another process", key, row["name"])
    return ScheduleRun.rows({"schedule": row["id"], "key": key}, limit=1)[0]


def _go_on(row: Row, due: float) -> None:
    """Have the schedule wait for its next occurrence, unless another process has done so."""
    fire = shifted(row["name"], due, row.get("jitter") or 0.0)
    Schedule.collection().update_one({"_id": row["id"], "due": row["due"]}, {"$set": {"due": due, "fire": fire}})


def _key(due: float) -> str:
    return f"{due:.3f}"


def _occurrence(run: Row) -> str:
    return f"{run['schedule']}:{run['key']}"
