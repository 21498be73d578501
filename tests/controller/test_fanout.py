"""Scripts on many nodes: told to the queue directly, with agents played by the test."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest

from agent.protocol import JobState, Result
from portalfw.controller import fanout
from portalfw.controller.documents import FanOutPlan, Job, Node
from portalfw.controller.orders import Orders
from portalfw.controller.queue import JobQueue
from portalfw.controller.retention import purge
from portalfw.controller.submission import Terms
from portalfw.controller.targets import Target
from portalfw.dal.local import LocalDatacenter
from portalfw.errors import ConflictError, InvalidError, UnavailableError

MakeNode = Callable[..., int]


@pytest.fixture
def orders(queue: JobQueue) -> Orders:
    return Orders(queue)


@pytest.fixture
def nodes(make_node: MakeNode) -> list[int]:
    return [make_node("rack") for _ in range(6)]


def row_of(job: int) -> dict[str, Any]:
    return Job.rows({"_id": job})[0]


def run(queue: JobQueue, node: int, state: str = "OK") -> bool:
    """Do what waits for a node; False if nothing does."""
    work = queue.work(node, "s", [], 16).jobs
    for job in work:
        queue.ack(node, job.id, job.attempt)
        result = Result(attempt=job.attempt, state=state, reason="as told", started=1.0, ended=2.0)
        queue.result(node, job.id, result)
    return bool(work)


def ended(queue: JobQueue, job: int) -> dict[str, Any]:
    """Wait for the end of a fan-out."""
    assert LocalDatacenter(queue).job(job).wait(30).ended
    return row_of(job)


def test_all_nodes_of_several_roles(orders: Orders, queue: JobQueue, make_node: MakeNode) -> None:
    """All nodes that have all the roles, in the grid, get one child each; the parent counts them and ends as OK."""
    both = [make_node("cpu", "rack"), make_node("rack", "cpu", status="MAINTENANCE")]
    make_node("cpu")
    make_node("cpu", "rack", gid=2)
    make_node("cpu", "rack", status="PENDING")
    parent = orders.on_all("test/again", Target(("cpu", "rack"), gid=1), {"n": 5}, Terms(priority=3))
    children = LocalDatacenter(queue).job(parent).children()
    assert [child["node_id"] for child in children] == both
    assert {(child["args"]["n"], child["priority"], child["status"]) for child in children} == {(5, 3, "QUEUED")}
    assert all(run(queue, node) for node in both)
    row = ended(queue, parent)
    assert (row["status"], row["result"]) == (
        "OK",
        {"total": 2, "begun": 2, "counts": {"OK": 2}, "first_errors": []},
    )


def test_summary_of_failures(orders: Orders, queue: JobQueue, nodes: list[int]) -> None:
    """What did not end as OK makes the whole an error that says how many and names the first ones."""
    parent = orders.on_all("test/again", Target(("rack",)), {}, Terms())
    for node in nodes[1:]:
        run(queue, node, "ERROR" if node == nodes[2] else "OK")
    Job.collection().update_one({"parent": parent, "node_id": nodes[0]}, {"$set": {"expires": 0.0}})
    queue.sweep()
    row = ended(queue, parent)
    assert row["status"] == "ERROR"
    assert row["reason"] == "2 of 6 did not end as OK: 1 ERROR, 1 EXPIRED"
    assert [(one["node_id"], one["state"]) for one in row["fan"]["errors"]] == [
        (nodes[2], "ERROR"),
        (nodes[0], "EXPIRED"),
    ]


def test_batches(orders: Orders, queue: JobQueue, nodes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more children are open than the batch says, and each node has its turn once."""
    monkeypatch.setattr(fanout, "SETTLE", 0.0)
    parent = orders.on_all("test/again", Target(("rack",)), {}, Terms(), batch=2)
    most, limit = 0, time.monotonic() + 30
    while row_of(parent)["status"] == "RUNNING":
        open_ = Job.rows({"parent": parent, "status": "QUEUED"}, fields=["node_id"])
        most = max(most, len(open_))
        if open_:
            run(queue, open_[0]["node_id"])
        gevent.sleep(0.005)
        assert time.monotonic() < limit
    assert most == 2
    assert Job.collection().count_documents({"parent": parent, "status": "OK"}) == len(nodes)


def test_stop_on_failure(orders: Orders, queue: JobQueue, nodes: list[int]) -> None:
    """After a failure no child is begun, those that wait are withdrawn, and the end says how many had no turn."""
    parent = orders.on_all("test/again", Target(("rack",)), {}, Terms(), batch=3, stop_on_failure=True)
    run(queue, nodes[0], "ERROR")
    row = ended(queue, parent)
    assert row["status"] == "ERROR"
    assert row["fan"]["counts"] == {"ERROR": 1, "CANCELLED": 2}
    assert "stopped after the first failure; 3 not begun" in row["reason"]
    assert not any(run(queue, node) for node in nodes)


def test_cancel_of_the_parent(orders: Orders, queue: JobQueue, nodes: list[int]) -> None:
    """Cancelling the parent ends what waits, has nodes end what runs, and begins nothing more."""
    parent = orders.on_all("test/once", Target(("rack",)), {}, Terms(), batch=2)
    (job,) = queue.work(nodes[0], "s", [], 16).jobs
    queue.ack(nodes[0], job.id, job.attempt)
    assert queue.cancel(parent, "enough") == JobState.RUNNING
    (told,) = queue.work(nodes[0], "s", [], 16).cancel
    assert (told.id, told.reason) == (job.id, "enough")
    queue.result(nodes[0], job.id, Result(attempt=1, state="CANCELLED", reason="enough", ended=2.0))
    row = ended(queue, parent)
    assert (row["status"], row["reason"], row["fan"]["counts"]) == ("CANCELLED", "enough", {"CANCELLED": 2})
    with pytest.raises(ConflictError, match="ended already"):
        queue.cancel(parent, "again")


def test_a_child_is_as_a_job_of_its_own(orders: Orders, queue: JobQueue, nodes: list[int], content: Path) -> None:
    """A child has all that a job on one node has, the limits of its script too."""
    (content / "jumpscripts" / "test" / "small.py").write_text("descr = 'small'\nmemory = 64\ndef action(): ...\n")
    queue.scripts.load()
    alone = row_of(queue.submit(nodes[0], "test/small", {}, submitted_by="somebody"))
    parent = orders.on_all("test/small", Target(("rack",)), {}, Terms(submitted_by="somebody"))
    child = Job.rows({"parent": parent, "node_id": nodes[0]})[0]
    assert child.keys() == alone.keys() | {"parent"}
    differs = {name for name in alone if child[name] != alone[name]}
    assert differs <= {"id", "created", "expires", "history"}
    assert child["limits"]


def test_children_are_stored_once(orders: Orders, queue: JobQueue, make_node: MakeNode) -> None:
    """While one is storing the children of a large fan-out, nobody stores the same ones: that would be for nothing."""
    make_node("first")
    many = [{"_id": 10_000 + number, "gid": 1, "status": "ENABLED", "roles": ["many"]} for number in range(1500)]
    Node.collection().insert_many(many)
    sweeping = gevent.spawn(lambda: [(queue.fanout.sweep(), gevent.sleep(0)) for _ in range(20)])
    parent = orders.on_all("test/again", Target(("many",)), {}, Terms())
    sweeping.join()
    children = [row["id"] for row in Job.rows({"parent": parent}, fields=["_id"])]
    assert children == [*range(children[0], children[0] + len(many))]  # no number was used up by another one


def test_a_killed_process_leaves_nothing_undone(orders: Orders, queue: JobQueue, nodes: list[int]) -> None:
    """Whatever of a fan-out a process had done when it was killed, the sweep of another one does the rest, once."""
    parent = orders.on_all("test/again", Target(("rack",)), {}, Terms())
    # As if it had been killed after it stored the first children, and before it noted that:
    Job.collection().delete_many({"parent": parent, "node_id": {"$in": nodes[4:]}})
    long_ago = time.time() - 2 * fanout.STORING
    Job.collection().update_one({"_id": parent}, {"$set": {"fan.next": 0, "fan.storing": long_ago}})
    gevent.joinall([gevent.spawn(queue.fanout.sweep) for _ in range(4)], raise_error=True)
    assert sorted(row["node_id"] for row in Job.rows({"parent": parent})) == nodes
    for node in nodes:
        run(queue, node)
    queue.sweep()
    assert row_of(parent)["status"] == "OK"


def test_any_node(orders: Orders, queue: JobQueue, make_node: MakeNode) -> None:
    """A job for any node goes to the least busy one; if that goes away before it begins, to another; or it waits."""
    first, second = make_node("rack"), make_node("rack")
    queue.submit(first, "test/again", {})
    job = orders.on_any("test/again", Target(("rack",)), {}, Terms())
    assert row_of(job)["node_id"] == second
    Node.collection().update_one({"_id": second}, {"$set": {"connected": False}})
    orders.place()
    assert row_of(job)["node_id"] == first
    Node.collection().update_many({}, {"$set": {"connected": False}})
    waits = orders.on_any("test/again", Target(("rack",)), {}, Terms())
    assert row_of(waits)["node_id"] is None
    Node.collection().update_one({"_id": second}, {"$set": {"connected": True}})
    orders.place()
    assert (row_of(job)["node_id"], row_of(waits)["node_id"]) == (second, second)
    with pytest.raises(UnavailableError, match="No node of the role shelf is at work"):
        orders.on_any("test/again", Target(("shelf",)), {}, Terms())


def test_priority(queue: JobQueue, node: int) -> None:
    """Of what waits for a node the highest priority is given first, and among equals the oldest."""
    jobs = [queue.submit(node, "test/again", {}, priority=priority) for priority in (0, 5, -1, 5)]
    given = [job.id for job in queue.work(node, "s", [], 16).jobs]
    assert given == [jobs[1], jobs[3], jobs[0], jobs[2]]


def test_retry(orders: Orders, queue: JobQueue, node: int) -> None:
    """What failed runs again as a new job; what may be half done only if that is confirmed; what went well never."""
    again, once, waiting = (queue.submit(node, f"test/{name}", {"n": 7}) for name in ("again", "once", "once"))
    queue.cancel(waiting, "not now")
    run(queue, node, "ERROR")
    retried = orders.retry(again, confirmed=False, submitted_by="ann")
    row = row_of(retried)
    assert (row["retry_of"], row["args"], row["submitted_by"], row["status"]) == (again, {"n": 7}, "ann", "QUEUED")
    assert orders.retry(waiting, confirmed=False, submitted_by="ann") > retried
    with pytest.raises(ConflictError, match="confirm"):
        orders.retry(once, confirmed=False, submitted_by="ann")
    assert orders.retry(once, confirmed=True, submitted_by="ann") > retried
    run(queue, node)
    with pytest.raises(ConflictError, match="is OK; only one that failed"):
        orders.retry(retried, confirmed=True, submitted_by="ann")


def test_retry_of_a_fan_out(orders: Orders, queue: JobQueue, nodes: list[int]) -> None:
    """Only the nodes on which it did not end as OK, or had no turn, have another one."""
    parent = orders.on_all("test/again", Target(("rack",)), {}, Terms(), batch=2, stop_on_failure=True)
    run(queue, nodes[0])
    run(queue, nodes[1], "ERROR")
    ended(queue, parent)
    retried = orders.retry(parent, confirmed=False, submitted_by="ann")
    assert FanOutPlan.rows({"_id": retried})[0]["nodes"] == nodes[1:]
    assert row_of(retried)["fan"]["batch"] == 2


def test_children_are_kept_with_their_parent(orders: Orders, queue: JobQueue, nodes: list[int]) -> None:
    """Old children of a fan-out that is under way stay, since it is counted from them; then they go with it."""
    parent = orders.on_all("test/again", Target(("rack",)), {}, Terms())
    for node in nodes[1:]:
        run(queue, node)
    future = time.time() + 10 * 86400
    assert purge(future) == 0
    run(queue, nodes[0])
    ended(queue, parent)
    assert purge(future) == 7
    assert FanOutPlan.rows() == []


@pytest.mark.parametrize(
    ("args", "argument", "said"),
    [
        ({}, "n", "needs the argument n"),
        ({"n": "1"}, "n", "needs n as int"),
        ({"n": True}, "n", "needs n as int"),
        ({"n": 1, "names": ["a", 2]}, "names", r"names\[1\]"),
        ({"n": 1, "how": "c"}, "how", "'a' or 'b'"),
        ({"n": 1, "size": None}, "size", "needs size as float"),
        ({"n": 1, "colour": 1}, "colour", "has no argument colour"),
    ],
)
def test_wrong_arguments(queue: JobQueue, node: int, args: dict[str, Any], argument: str, said: str) -> None:
    """Arguments that do not fit the script's signature are refused by name before a job exists."""
    with pytest.raises(InvalidError, match=said) as refused:
        queue.submit(node, "test/typed", args)
    assert refused.value.detail == {"argument": argument}
    assert Job.rows() == []


def test_right_arguments(queue: JobQueue, node: int) -> None:
    """What fits is taken: whole numbers for broken ones, and nothing where nothing is the default."""
    given = {"n": 1, "size": 2, "names": ["a"], "how": "b", "more": None}
    assert queue.submit(node, "test/typed", given)
    assert queue.submit(node, "test/typed", {"n": 1, "names": None})
