"""The rules of jobs, told to the queue directly as an agent's messages would."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gevent
import pytest

from agent.protocol import Ask, JobRef, JobState, Line, Output, Result
from portalfw.controller.documents import Job, JobOutput, Node, Script
from portalfw.controller.leases import Wish
from portalfw.controller.nodes import Nodes
from portalfw.controller.parking import Parking, Question
from portalfw.controller.queue import JobQueue
from portalfw.controller.retention import purge
from portalfw.controller.scripts import ScriptStore
from portalfw.controller.standing import StandingOrders
from portalfw.controller.wake import Wake
from portalfw.dal.local import LocalDatacenter
from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.events import EventBus


def take(queue: JobQueue, node: int, session: str = "s") -> list[JobRef]:
    return [job.ref for job in queue.work(node, session, [], 16).jobs]


def result(attempt: int, state: str = "OK", value: Any = None) -> Result:
    return Result(attempt=attempt, state=state, reason="", result=value, ended=time.time())


def status(job: int) -> tuple[str, int]:
    row = Job.rows({"_id": job})[0]
    return row["status"], row["attempt"]


def test_jobs_are_given_once_and_in_order(queue: JobQueue, node: int) -> None:
    """Many questions at the same time get each job exactly once, the oldest first."""
    jobs = [queue.submit(node, "test/again", {"n": number}) for number in range(20)]
    greenlets = [gevent.spawn(queue.work, node, "s", [], 4) for _ in range(8)]
    gevent.joinall(greenlets, raise_error=True)
    given = [[job.id for job in greenlet.value.jobs] for greenlet in greenlets]
    assert sorted(job for batch in given for job in batch) == jobs
    assert all(batch == sorted(batch) for batch in given)


def test_full_queues_are_left_out(queue: JobQueue, node: int) -> None:
    """A queue that the agent cannot take more of is skipped."""
    queue.submit(node, "test/again", {})
    assert queue.work(node, "s", ["default"], 16).jobs == []


def test_lost_answer(queue: JobQueue, node: int) -> None:
    """A job whose answer never reached the agent is queued again, even if it is not idempotent: it never started."""
    job = queue.submit(node, "test/once", {})
    take(queue, node)
    assert queue.answer(Wish(node, "s", (), 16), held=[]).jobs == []
    assert status(job) == ("QUEUED", 1)
    assert take(queue, node) == [JobRef(id=job, attempt=2)]
    with pytest.raises(ConflictError, match="is LEASED at attempt 2, not 1"):
        queue.ack(node, job, 1)
    queue.ack(node, job, 2)
    queue.ack(node, job, 2)
    assert status(job) == ("RUNNING", 2)


def test_jobs_that_are_given_as_begun(queue: JobQueue, node: int) -> None:
    """Free workers begin idempotent jobs unasked; that one never came counts as little as one that was only leased."""
    once, first, second = (queue.submit(node, script, {}) for script in ("test/once", "test/again", "test/again"))
    wish = Wish(node, "s", (), 16, {"default": 2})
    given = queue.answer(wish).jobs
    assert [(job.id, job.begun) for job in given] == [(once, False), (first, True), (second, False)]
    assert [status(job) for job in (once, first, second)] == [("LEASED", 1), ("RUNNING", 1), ("LEASED", 1)]
    assert queue.answer(wish, held=[job.ref for job in given]).jobs == []
    for attempt in range(1, 5):
        assert status(first) == ("RUNNING", attempt)
        queue.answer(wish, held=[])
        assert status(first) == ("QUEUED", attempt)
        queue.answer(wish)
    assert queue.result(node, first, result(5))


def test_late_success_of_an_earlier_attempt_counts(queue: JobQueue, node: int) -> None:
    """Success of an attempt whose lease ran out ends the job; the newer attempt is then told that it is gone."""
    job = queue.submit(node, "test/again", {})
    take(queue, node)
    queue.ack(node, job, 1)
    queue.recover(queue.given(node), [], reason="silent")
    take(queue, node)
    queue.ack(node, job, 2)
    assert not queue.result(node, job, result(1, "ERROR"))
    assert status(job) == ("RUNNING", 2)
    assert queue.result(node, job, result(1, value="done"))
    assert status(job) == ("OK", 2)
    assert queue.renew(node, [JobRef(id=job, attempt=2)]).gone == [JobRef(id=job, attempt=2)]
    assert not queue.result(node, job, result(2, value="again"))
    assert Job.rows({"_id": job})[0]["result"] == "done"


def test_late_result_of_a_requeued_job(queue: JobQueue, node: int) -> None:
    """A result that comes while its job waits to run again counts, whatever it is."""
    job = queue.submit(node, "test/again", {})
    take(queue, node)
    queue.ack(node, job, 1)
    queue.recover(queue.given(node), [], reason="silent")
    assert status(job) == ("QUEUED", 1)
    assert queue.result(node, job, result(1, "ERROR"))
    assert status(job) == ("ERROR", 1)


def test_attempts_are_counted(queue: JobQueue, node: int) -> None:
    """A job that was interrupted three times while it ran is LOST with the reason, idempotent or not."""
    job = queue.submit(node, "test/again", {})
    for attempt in (1, 2, 3):
        take(queue, node)
        queue.ack(node, job, attempt)
        queue.recover(queue.given(node), [], reason="the agent died")
    assert status(job) == ("LOST", 3)
    assert Job.rows({"_id": job})[0]["reason"] == "the agent died; it has been begun 3 times, and is not tried again"


def test_leases(queue: JobQueue, node: int) -> None:
    """A lease that runs out requeues or loses the job; one that is renewed does not; a fresh controller waits first."""
    again, once, kept = (queue.submit(node, f"test/{name}", {}) for name in ("again", "once", "once"))
    for ref in take(queue, node):
        queue.ack(node, ref.id, 1)
    Job.collection().update_many({}, {"$set": {"leased_until": time.time() - 1}})
    queue.sweep()
    assert status(once) == ("RUNNING", 1)
    queue._started -= 2 * queue.lease
    queue.renew(node, [JobRef(id=kept, attempt=1)])
    queue.sweep()
    assert [status(job)[0] for job in (again, once, kept)] == ["QUEUED", "LOST", "RUNNING"]


def test_cancel(queue: JobQueue, node: int) -> None:
    """A held job's cancellation is told once by the next answer and again by each renewal, and stops its ack."""
    job = queue.submit(node, "test/once", {})
    take(queue, node)
    assert queue.cancel(job, "wrong node") is JobState.LEASED
    told = queue.work(node, "s", [], 16).cancel
    assert [(cancel.id, cancel.reason) for cancel in told] == [(job, "wrong node")]
    assert queue.work(node, "s", [], 16).cancel == []
    assert queue.renew(node, [JobRef(id=job, attempt=1)]).cancel == told
    with pytest.raises(ConflictError):
        queue.ack(node, job, 1)
    assert status(job)[0] == "CANCELLED"
    with pytest.raises(ConflictError, match=f"Job {job} is CANCELLED already"):
        queue.cancel(job, "again")


def test_cancelled_while_away(queue: JobQueue, node: int) -> None:
    """A cancelled job whose agent vanishes is CANCELLED, not run again."""
    job = queue.submit(node, "test/again", {})
    take(queue, node)
    queue.ack(node, job, 1)
    queue.cancel(job, "no")
    queue.recover(queue.given(node), [], reason="gone")
    assert status(job)[0] == "CANCELLED"


def test_agent_that_ignores_the_timeout(queue: JobQueue, node: int) -> None:
    """A job that its agent claims to run long after the timeout ends as TIMEOUT."""
    job = queue.submit(node, "test/once", {}, timeout=1)
    take(queue, node)
    queue.ack(node, job, 1)
    Job.collection().update_one({"_id": job}, {"$set": {"started": time.time() - 300}})
    queue.sweep()
    assert status(job)[0] == "TIMEOUT"


def test_output_sent_twice(queue: JobQueue, node: int) -> None:
    """Lines that come twice, also in other portions, are kept once; lines of a lost attempt are refused."""
    job = queue.submit(node, "test/again", {})
    take(queue, node)
    queue.ack(node, job, 1)
    lines = [Line(at=0, level="info", text=str(number)) for number in range(6)]
    assert queue.output(node, job, Output(attempt=1, lines=lines[:3])) == 3
    assert queue.output(node, job, Output(attempt=1, lines=lines[:3])) == 3
    assert queue.output(node, job, Output(attempt=1, offset=1, lines=lines[1:5])) == 5
    queue.result(node, job, result(1).model_copy(update={"offset": 3, "lines": lines[3:]}))
    assert [line["text"] for line in LocalDatacenter(queue).job(job).output()] == ["0", "1", "2", "3", "4", "5"]
    with pytest.raises(ConflictError, match="is OK at attempt 1"):
        queue.output(node, job, Output(attempt=1, offset=6, lines=lines))


def test_waiter_hears_of_another_process(queue: JobQueue, node: int, bus: EventBus) -> None:
    """A waiter is woken through the database when another controller process takes in the result."""
    other = JobQueue(queue.scripts, Wake(bus))
    job = queue.submit(node, "test/again", {})
    waiting = gevent.spawn(LocalDatacenter(queue).job(job).result)
    gevent.sleep(0)
    take(other, node)
    other.ack(node, job, 1)
    begin = time.monotonic()
    other.result(node, job, result(1, value=7))
    assert waiting.get(timeout=2) == 7
    assert time.monotonic() - begin < 1


def test_later_content_wins_and_old_versions_stay(queue: JobQueue, content: Path, tmp_path: Path, node: int) -> None:
    """A later directory's script replaces the earlier one for new jobs; a job already there keeps its version."""
    before = queue.submit(node, "test/again", {})
    folder = tmp_path / "site" / "jumpscripts" / "test"
    folder.mkdir(parents=True)
    (folder / "again.py").write_text("descr = 'mine'\ndef action(): return 'mine'\n")
    (folder / "bad.py").write_text("descr =")
    (folder / "_library.py").write_text("x = 1")
    (content / "jumpscripts" / "test" / "once.py").unlink()
    store = ScriptStore([content, tmp_path / "site"])
    assert store.load() == ["test/bad"]
    after = queue.submit(node, "test/again", {})
    hashes = [Job.rows({"_id": job})[0]["sha256"] for job in (before, after)]
    assert [store.source(sha256)[9:13] for sha256 in hashes] == ["agai", "mine"]
    with pytest.raises(NotFoundError, match="Jumpscript test/once does not exist"):
        queue.submit(node, "test/once", {})
    with pytest.raises(InvalidError, match="Jumpscript test/bad is broken"):
        queue.submit(node, "test/bad", {})
    assert not Script.rows({"name": "test/_library"})


def test_arguments_that_cannot_be_stored(queue: JobQueue, node: int) -> None:
    """Arguments beyond what the database holds are refused at once."""
    with pytest.raises(InvalidError, match="cannot be stored"):
        queue.submit(node, "test/again", {"n": 2**70})


def test_output_sent_by_two_at_once(queue: JobQueue, node: int) -> None:
    """A batch of output and a result that carries the same lines and more, at the same time, lose none of them."""
    for _ in range(10):
        job = queue.submit(node, "test/again", {})
        take(queue, node)
        lines = [Line(at=1.0, level="info", text=str(number)) for number in range(600)]
        batches = [Output(attempt=1, lines=lines[:count]) for count in (74, 600, 301)]
        gevent.joinall([gevent.spawn(queue.output, node, job, batch) for batch in batches], raise_error=True)
        assert [line["text"] for line in LocalDatacenter(queue).job(job).output()] == [
            str(number) for number in range(600)
        ]


def test_old_jobs_are_dropped_with_their_output(queue: JobQueue, node: int) -> None:
    """Ended jobs go after five days, routine that went well after an hour; what failed or still runs stays."""
    day = 86400.0

    def ended(state: str, age: float, *, log: bool = True) -> int:
        job = queue.submit(node, "test/again", {})
        take(queue, node)
        lines = [Line(at=1.0, level="info", text="a line")]
        queue.result(node, job, result(1, state).model_copy(update={"lines": lines}))
        Job.collection().update_one({"_id": job}, {"$set": {"ended": time.time() - age, "log": log}})
        return job

    old = [ended("OK", 6 * day), ended("ERROR", 6 * day), ended("OK", 0.1 * day, log=False)]
    kept = [ended("OK", 4 * day), ended("ERROR", 0.1 * day, log=False), ended("OK", 60, log=False)]
    waiting = queue.submit(node, "test/again", {})
    assert purge() == 3
    assert {row["id"] for row in Job.rows()} == {*kept, waiting}
    assert not JobOutput.rows({"job": {"$in": old}})
    assert len(JobOutput.rows({"job": {"$in": kept}})) == 3


def test_questions_in_two_processes(queue: JobQueue, node: int) -> None:
    """A question that an agent has left behind gets no job: once it asks another process, or was held up."""
    here, there = (Parking(queue, Nodes(), StandingOrders()) for _ in range(2))
    Node.collection().update_one({"_id": node}, {"$set": {"session": "s"}})

    def asked(parking: Parking, turn: int = 0) -> Question:
        return parking.ask(Node.rows({"_id": node}, limit=1)[0], Ask(session="s", turn=turn))

    left = asked(here)
    assert left.look() is None
    newest = asked(there)
    job = queue.submit(node, "test/again", {})
    with pytest.raises(ConflictError, match="has asked another process"):
        left.look()
    work = newest.look()
    assert work is not None
    assert [one.id for one in work.jobs] == [job]
    asked(there, turn=2)
    with pytest.raises(ConflictError, match="A later question"):
        asked(there, turn=1)
    asked(here, turn=3)
    with pytest.raises(ConflictError, match="A later question"):
        asked(there, turn=2)
    here.stop()
    there.stop()
