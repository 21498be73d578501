"""What a process remembers of the jobs that it gave out: it spares readings, and never a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from product import wait_for

from agent.protocol import Ask, Ended, JobRef, Report, Result, Work
from portalfw.controller.documents import Job, Node
from portalfw.controller.nodes import Nodes
from portalfw.controller.parking import Parking
from portalfw.controller.queue import JobQueue
from portalfw.controller.standing import StandingOrders
from portalfw.controller.wake import Wake
from portalfw.events import EventBus


@pytest.fixture
def parking(queue: JobQueue) -> Iterator[Parking]:
    found = Parking(queue, Nodes(), StandingOrders())
    yield found
    found.stop()


def question(*held: JobRef, session: str = "s") -> Ask:
    return Ask(session=session, held=list(held), free={"default": 4}, park=0)


def ask(parking: Parking, node: int, *held: JobRef) -> Work:
    """Ask as the node's agent does, and wait for nothing."""
    (row,) = Node.rows({"_id": node})
    return parking.ask(row, question(*held)).look(last=True) or Work()


@pytest.fixture
def node(make_node: Callable[..., int], parking: Parking, bus: EventBus) -> int:
    """Give a node that has asked; what is told of itself has come."""
    found = make_node(session="s")
    with bus.subscribe(f"node:{found}") as changes:
        ask(parking, found)
        wait_for(lambda: (change := changes.get(1)) and (change.row or {}).get("asks"), what="the node's change")
    return found


def remembered(queue: JobQueue, parking: Parking, node: int, *held: JobRef) -> bool:
    """Ask until it is remembered that the agent has all: what is told of the job meanwhile has it looked up again."""
    wait_for(lambda: not ask(parking, node, *held).jobs and queue.is_nothing_new(node, question(*held)))
    return True


def report(queue: JobQueue, node: int, job: JobRef) -> None:
    """Tell that a job has ended well."""
    result = Result(attempt=job.attempt, state="OK", reason="", ended=1.0)
    (said,) = queue.report(node, Report(starts=[], ends=[Ended(id=job.id, result=result)])).ends
    assert said.ok


def test_an_agent_that_has_all_is_not_looked_up(queue: JobQueue, parking: Parking, node: int) -> None:
    """Nothing is new for an agent that says it has what it was given, until something is."""
    queue.submit(node, "test/again", {})
    (job,) = ask(parking, node).jobs
    assert remembered(queue, parking, node, job.ref)
    assert not queue.is_nothing_new(node, question())  # it never got the job
    assert not queue.is_nothing_new(node, question(job.ref, session="other"))
    report(queue, node, job.ref)
    assert queue.is_nothing_new(node, question())
    queue.submit(node, "test/again", {})
    assert not queue.is_nothing_new(node, question())


def test_what_another_process_queues_is_given(queue: JobQueue, parking: Parking, node: int, bus: EventBus) -> None:
    """A job of another process reaches an agent of which this one remembers that it has all."""
    assert remembered(queue, parking, node)
    other = JobQueue(queue.scripts, Wake(bus))  # which wakes nobody here
    job = other.submit(node, "test/again", {})
    wait_for(lambda: [one.id for one in ask(parking, node).jobs] == [job], what="the other's job")


def test_an_answer_that_got_lost_is_given_again(queue: JobQueue, parking: Parking, node: int) -> None:
    """What an agent was given as begun and does not have waits again, and comes as the next attempt."""
    job = queue.submit(node, "test/again", {})
    assert [one.ref for one in ask(parking, node).jobs] == [JobRef(id=job, attempt=1)]
    assert remembered(queue, parking, node, JobRef(id=job, attempt=1))
    again = wait_for(lambda: ask(parking, node).jobs, what="the job again")
    assert [one.ref for one in again] == [JobRef(id=job, attempt=2)]


def test_jobs_beyond_the_limit_are_not_forgotten(queue: JobQueue, parking: Parking, node: int) -> None:
    """Of more jobs than one answer holds the rest comes with the next ones."""
    jobs = [queue.submit(node, "test/again", {}) for _ in range(40)]
    held: list[JobRef] = []
    while given := ask(parking, node, *held).jobs:
        held += [one.ref for one in given]
    assert [ref.id for ref in held] == jobs


def test_a_result_of_another_attempt_counts_no_more(queue: JobQueue, parking: Parking, node: int) -> None:
    """What was remembered of an attempt does not end the next one, which another process has given since."""
    job = queue.submit(node, "test/again", {})
    (given,) = ask(parking, node).jobs
    Job.collection().update_one({"_id": job}, {"$set": {"attempt": 2}})
    failed = Result(attempt=given.attempt, state="ERROR", reason="late", ended=1.0)
    (said,) = queue.report(node, Report(starts=[], ends=[Ended(id=job, result=failed)])).ends
    assert not said.ok
    assert Job.rows({"_id": job})[0]["status"] == "RUNNING"
