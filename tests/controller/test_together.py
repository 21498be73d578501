"""What agents say at the same time is written together; nothing in a batch may harm what is beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import pytest
from gevent.event import Event

from agent.protocol import JobState, Result
from portalfw.controller import leases
from portalfw.controller.documents import Job
from portalfw.controller.queue import JobQueue
from portalfw.controller.together import ENOUGH, Together
from portalfw.errors import ConflictError, NotFoundError


def result(attempt: int = 1, state: str = "OK", value: Any = None) -> Result:
    return Result(attempt=attempt, state=state, reason="", result=value, ended=time.time())


def started(queue: JobQueue, node: int, count: int = 1) -> list[int]:
    jobs = [queue.submit(node, "test/once", {}) for _ in range(count)]
    for job in queue.work(node, "s", [], 16).jobs:
        queue.ack(node, job.id, job.attempt)
    return jobs


def at_once(function: Callable[..., Any], *calls: tuple[Any, ...]) -> list[Any]:
    """Call from greenlets at the same time; return what each returned or raised."""
    greenlets = [gevent.spawn(function, *call) for call in calls]
    gevent.joinall(greenlets)
    return [greenlet.value if greenlet.successful() else greenlet.exception for greenlet in greenlets]


def states(*jobs: int) -> list[str]:
    return [Job.rows({"_id": job})[0]["status"] for job in jobs]


def _meet_after(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Have the first two callers of a function go on from it only together."""
    function, there, both = getattr(module, name), [], Event()

    def meeting(*arguments: Any) -> Any:
        found = function(*arguments)
        there.append(1)
        if len(there) == 2:
            both.set()
        assert both.wait(30)
        return found

    monkeypatch.setattr(module, name, meeting)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give a list that the sizes of all batches are added to."""
    sizes: list[int] = []
    answers = Together._answers

    def noted(self: Together[Any, Any], questions: list[Any]) -> Sequence[Any]:
        sizes.append(len(questions))
        return answers(self, questions)

    monkeypatch.setattr(Together, "_answers", noted)
    return sizes


def test_results_beside_stale_and_foreign_ones(
    queue: JobQueue, make_node: Callable[..., int], batches: list[int]
) -> None:
    """A result that is stale or of another node loses none that come at the same time."""
    node, other = make_node(), make_node()
    good, stale, foreign, last = started(queue, node, 4)
    found = at_once(
        queue.result,
        (node, good, result(value=1)),
        (node, stale, result(attempt=0, state="ERROR")),
        (other, foreign, result()),
        (node, last, result(state="ERROR")),
    )
    assert max(batches) > 1
    assert [found[0], found[1], found[3]] == [True, False, True]
    assert isinstance(found[2], NotFoundError)
    assert states(good, stale, foreign, last) == ["OK", "RUNNING", "RUNNING", "ERROR"]


def test_results_beside_one_that_cannot_be_stored(queue: JobQueue, node: int) -> None:
    """A result that the database cannot hold ends its own job as ERROR, and only that."""
    good, bad, stale = started(queue, node, 3)
    found = at_once(
        queue.result, (node, good, result()), (node, bad, result(value=2**70)), (node, stale, result(0, "ERROR"))
    )
    assert found == [True, True, False]
    assert states(good, bad, stale) == ["OK", "ERROR", "RUNNING"]


def test_results_sent_twice(queue: JobQueue, node: int) -> None:
    """Results that come again, at the same time or later, change nothing."""
    jobs = started(queue, node, 4)
    messages = [(node, job, result(value=job)) for job in jobs]
    assert sorted(at_once(queue.result, *messages, *messages)) == [False] * 4 + [True] * 4
    rows = Job.rows({"_id": {"$in": jobs}})
    assert at_once(queue.result, *messages) == [False] * 4
    assert Job.rows({"_id": {"$in": jobs}}) == rows
    assert [len(row["history"]) for row in rows] == [4] * 4


def test_starts_beside_stale_and_cancelled_ones(queue: JobQueue, make_node: Callable[..., int]) -> None:
    """An attempt that is stale, foreign or cancelled is refused; those acknowledged at the same time start."""
    node, other = make_node(), make_node()
    good, stale, foreign, cancelled = [queue.submit(node, "test/once", {}) for _ in range(4)]
    queue.work(node, "s", [], 16)
    queue.cancel(cancelled, "not wanted")
    found = at_once(queue.ack, (node, good, 1), (node, stale, 2), (other, foreign, 1), (node, cancelled, 1))
    assert [type(error) for error in found] == [type(None), ConflictError, NotFoundError, ConflictError]
    assert states(good, stale, foreign, cancelled) == ["RUNNING", "LEASED", "LEASED", "CANCELLED"]


def test_leases_of_many_nodes_and_processes(
    queue: JobQueue, make_node: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs of many nodes that two processes have both found are each leased once, to their own node."""
    _meet_after(monkeypatch, leases, "_open")
    second = JobQueue(queue.scripts, queue.wake)
    nodes = [make_node() for _ in range(12)]
    jobs = [queue.submit(node, "test/once", {}) for node in nodes for _ in range(3)]
    calls = [(one, node) for node in nodes for one in (queue, second)]
    found = at_once(lambda one, node: one.work(node, "s", [], 2).jobs, *calls)
    given = [(job.id, node) for (_, node), work in zip(calls, found, strict=True) for job in work]
    assert sorted(given) == sorted(set(given))
    assert all(Job.rows({"_id": job})[0]["node_id"] == node for job, node in given)
    rest = [job.id for node in nodes for job in queue.work(node, "s", [], 16).jobs]
    assert sorted(rest + [job for job, _ in given]) == jobs
    assert {row["status"] for row in Job.rows({"attempt": 1})} == {JobState.LEASED}


def test_an_error_is_everyones() -> None:
    """Where a batch fails as a whole, all who asked are told, and the next question is answered."""
    fails = [True]

    def answer(numbers: Sequence[int]) -> list[int]:
        if fails.pop():
            raise RuntimeError("electing")
        return [number + 1 for number in numbers]

    together: Together[int, int] = Together(answer)
    assert [str(error) for error in at_once(together, (1,), (2,))] == ["electing"] * 2
    fails.append(False)
    assert together(3) == 4


def test_much_goes_beside_what_is_under_way() -> None:
    """While the database is at a batch, enough further questions make up one beside it; a few wait for its end."""
    held = Event()
    batches: list[int] = []

    def answer(numbers: Sequence[int]) -> list[int]:
        batches.append(len(numbers))
        if 0 in numbers:
            held.wait(10)
        return [number + 1 for number in numbers]

    together: Together[int, int] = Together(answer)
    first = gevent.spawn(together, 0)
    gevent.sleep(0)
    gevent.sleep(0)
    few = [gevent.spawn(together, number) for number in range(1, ENOUGH)]
    gevent.joinall(few, timeout=0.05)
    assert batches == [1]
    last = gevent.spawn(together, ENOUGH)
    gevent.joinall([*few, last], timeout=10, raise_error=True)
    assert (batches, first.ready()) == ([1, ENOUGH], False)
    late = gevent.spawn(together, ENOUGH + 1)
    late.join(0.05)
    assert not late.ready()  # the first one is still under way
    held.set()
    assert [one.get(timeout=10) for one in (first, *few, last, late)] == [*range(1, ENOUGH + 3)]
