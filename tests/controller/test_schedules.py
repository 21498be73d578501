"""What becomes of the occurrences of schedules, with the clock told by the test."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest

from agent.protocol import Ask, Result
from portalfw.controller.documents import Job, Node, Schedule, ScheduleRun
from portalfw.controller.nodes import Nodes
from portalfw.controller.orders import Orders
from portalfw.controller.parking import Parking, Question
from portalfw.controller.queue import JobQueue
from portalfw.controller.schedules import GRACE, Schedules, first_due
from portalfw.controller.standing import StandingOrders, place
from portalfw.controller.timing import check_when, following, shifted
from portalfw.errors import InvalidError

PERIODIC = "descr = 'often'\nperiod = 60\nroles = ['rack']\nidempotent = True\ndef action(): ...\n"
NIGHTLY = "descr = 'nightly'\nperiod = '30 15 3 * * *'\nenable = False\nstartatboot = True\ndef action(): ...\n"
MakeNode = Callable[..., int]


@pytest.fixture
def schedules(queue: JobQueue) -> Schedules:
    return Schedules(Orders(queue))


@pytest.fixture
def make(queue: JobQueue, make_node: MakeNode) -> Callable[..., dict[str, Any]]:
    """Give a function that makes a schedule of every ten seconds, for one node that is there."""
    del queue
    make_node("rack")

    def schedule(**fields: Any) -> dict[str, Any]:
        values = {"script": "test/again", "roles": ["rack"], "when": 10.0, "overlap": "skip", **fields}
        name = f"s{Schedule.collection().count_documents({})}"
        row = Schedule.create(name=name, **values, **first_due(name, values["when"], values.get("jitter", 0.0)))
        return Schedule.rows({"_id": row.id})[0]

    return schedule


def runs(schedule: dict[str, Any]) -> list[tuple[str, int]]:
    return [(run["status"], run["count"]) for run in ScheduleRun.rows({"schedule": schedule["id"]}, sort="due")]


def jobs(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    return Job.rows({"schedule": schedule["id"]})


def finish(queue: JobQueue) -> None:
    """Do all that waits, as the node would, and count what it belongs to."""
    for row in Node.rows():
        for job in queue.work(row["id"], "s", [], 16).jobs:
            queue.ack(row["id"], job.id, job.attempt)
            queue.result(row["id"], job.id, Result(attempt=job.attempt, state="OK", reason="", ended=time.time()))
    queue.sweep()


def test_each_occurrence_once(schedules: Schedules, make: Any) -> None:
    """However many processes look, an occurrence has one record and one job, and the next one is due after it."""
    one = make()
    looks = [gevent.spawn(schedules.tick, one["due"] + 1) for _ in range(8)]
    gevent.joinall(looks, raise_error=True)
    assert runs(one) == [("RUN", 1)]
    (job,) = jobs(one)
    assert (job["submitted_by"], job["fan"]["total"]) == ("schedule s0", 1)
    assert Schedule.rows()[0]["due"] == one["due"] + 10


@pytest.mark.parametrize("killed_after", ["the record", "the job"])
def test_killed_in_between(schedules: Schedules, make: Any, killed_after: str) -> None:
    """A process that is killed between two steps of an occurrence leaves it to the next one, which does it once."""
    one = make()
    schedules.tick(one["due"] + 1)
    Schedule.collection().update_one({"_id": one["id"]}, {"$set": {"due": one["due"], "fire": one["due"]}})
    ScheduleRun.collection().update_one({}, {"$set": {"job": None, "at": time.time() - 60}})
    if killed_after == "the record":
        Job.collection().delete_many({})
    schedules.tick(one["due"] + 1)
    (job,) = jobs(one)
    assert [run["job"] for run in ScheduleRun.rows()] == [job["id"]]
    assert Schedule.rows()[0]["due"] == one["due"] + 10


def test_overlap(schedules: Schedules, make: Any, queue: JobQueue) -> None:
    """While a run goes on the next occurrence is left out, or waits (one of them), or runs beside it, as it is said."""
    rows = {overlap: make(overlap=overlap) for overlap in ("skip", "queue", "parallel")}
    begin = next(iter(rows.values()))["due"]
    for number in range(3):
        schedules.tick(begin + 10 * number + 1)
    found = {overlap: [status for status, _ in runs(row)] for overlap, row in rows.items()}
    assert found == {
        "skip": ["RUN", "SKIPPED", "SKIPPED"],
        "queue": ["RUN", "QUEUED", "SKIPPED"],
        "parallel": ["RUN", "RUN", "RUN"],
    }
    finish(queue)
    schedules.tick(begin)
    assert [status for status, _ in runs(rows["queue"])] == ["RUN", "RUN", "SKIPPED"]
    assert len(jobs(rows["queue"])) == 2


def test_missed(schedules: Schedules, make: Any) -> None:
    """After a time without a controller what was missed is one record; the last one runs if not too late."""
    often, seldom = make(when=10.0), make(when=3600.0)
    late = seldom["due"] + GRACE + 200
    schedules.tick(late)
    missed = int((late - often["due"]) // 10)
    assert runs(often)[0] == ("MISSED", missed)
    assert runs(seldom) == [("MISSED", 1)]
    assert following(3600.0, late) == Schedule.rows({"_id": seldom["id"]})[0]["due"]
    schedules.tick(late)
    assert runs(often)[1] == ("RUN", 1)
    assert not jobs(seldom)


def test_at_boot(schedules: Schedules, make: Any, make_node: MakeNode) -> None:
    """A node of the right roles runs it once for each boot, however often its agent says hello."""
    one = make(when=None, at_boot=True)
    node, other = make_node("rack", "cpu"), make_node("shelf")
    for _ in range(3):
        for boot in ("a", "b"):
            schedules.booted(Node.rows({"_id": node})[0], boot)
        schedules.booted(Node.rows({"_id": other})[0], "a")
    assert [job["node_id"] for job in jobs(one)] == [node, node]


def test_standing_orders(make: Any, make_node: MakeNode, queue: JobQueue) -> None:
    """Once an order changes, the parked questions of the nodes that it concerns are answered with it, no others."""
    standing = StandingOrders()
    parking = Parking(queue, Nodes(), standing)
    nodes = [make_node(role, session="s") for role in ("rack", "shelf")]

    def ask(node: int) -> Question:
        row = Node.rows({"_id": node})[0]
        return parking.ask(row, Ask(session="s", orders=standing.of(place(row)).name))

    racked, shelved = (ask(node) for node in nodes)
    assert racked.look() is shelved.look() is None
    one = make(offline=True)
    assert standing.look()
    (tell,) = parking.outdated()
    tell()
    told = racked.look()
    assert told is not None
    assert [order.schedule for order in told.standing or ()] == [one["id"]]
    assert shelved.look() is None
    assert ask(nodes[0]).look() is None
    assert not standing.look()
    assert not parking.outdated()


def test_nobody_there(schedules: Schedules, make: Any) -> None:
    """An occurrence without a node that is there is on record with the reason, and the schedule goes on."""
    one = make(roles=["shelf"])
    schedules.tick(one["due"] + 1)
    (run,) = ScheduleRun.rows()
    assert (run["status"], run["job"]) == ("FAILED", None)
    assert "the role shelf" in run["reason"]
    assert Schedule.rows()[0]["due"] > one["due"]


def test_headers_of_scripts(schedules: Schedules, queue: JobQueue, content: Path) -> None:
    """A header with a period or startatboot makes a schedule that follows it; people say whether it is on."""
    folder = content / "jumpscripts" / "test"
    (folder / "often.py").write_text(PERIODIC)
    (folder / "nightly.py").write_text(NIGHTLY)
    (folder / "never.py").write_text("descr = 'never'\nperiod = '61 * * * *'\ndef action(): ...\n")
    queue.scripts.load()
    schedules.sync()
    found = {row["name"]: row for row in Schedule.rows()}
    assert sorted(found) == ["test/nightly", "test/often"]
    assert (found["test/often"]["when"], found["test/often"]["roles"]) == (60.0, ["rack"])
    assert (found["test/nightly"]["enabled"], found["test/nightly"]["at_boot"]) == (False, True)
    Schedule.collection().update_one({"name": "test/often"}, {"$set": {"enabled": False}})
    (folder / "often.py").write_text(PERIODIC.replace("60", "7"))
    (folder / "nightly.py").unlink()
    queue.scripts.load()
    schedules.sync()
    (row,) = Schedule.rows()
    assert (row["when"], row["enabled"], row["due"] % 7) == (7.0, False, 0)


@pytest.mark.parametrize(
    ("when", "at", "due"),
    [
        (10.0, 1000.0, 1010.0),
        (0.5 + 1, 3.0, 4.5),
        ("*/5 * * * *", 1_700_000_000.0, 1_700_000_100.0),
        ("20 13 22 * * *", 1_700_000_000.0, 1_700_086_400.0),
        ("7 * * * * *", 1_700_000_000.0, 1_700_000_047.0),
    ],
)
def test_when(when: Any, at: float, due: float) -> None:
    """Intervals count from the epoch; cron expressions are of UTC, with seconds if there are six fields."""
    assert following(check_when(when), at) == due


@pytest.mark.parametrize("when", [0.5, 1e9, float("nan"), "", "* * * *", "61 * * * *", "0 0 31 2 *", "@daily"])
def test_wrong_when(when: Any) -> None:
    """What is no interval and no cron expression, or never comes true, is refused."""
    with pytest.raises(InvalidError, match=r"^when: "):
        check_when(when)


def test_jitter() -> None:
    """Jitter spreads occurrences within its span, by name and time, the same in every process."""
    found = {shifted("a", 100.0 + number, 30.0) - number for number in range(50)}
    assert all(100 <= at < 130 for at in found)
    assert len(found) == 50
    assert shifted("a", 100.0, 30.0) == shifted("a", 100.0, 30.0) != shifted("b", 100.0, 30.0)
