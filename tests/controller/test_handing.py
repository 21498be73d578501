"""Children of fan-outs that are handed to agents whose questions wait; the agents are played by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gevent
import pytest

from agent.protocol import Ask, Assignment, JobRef, JobState, Result, Work
from portalfw.controller.documents import Job, Node
from portalfw.controller.handing import Hand
from portalfw.controller.nodes import Nodes
from portalfw.controller.orders import Orders
from portalfw.controller.parking import Parking, Question
from portalfw.controller.queue import JobQueue
from portalfw.controller.standing import StandingOrders
from portalfw.controller.submission import Terms
from portalfw.controller.targets import Target
from portalfw.events import EventBus

MakeNode = Callable[..., int]
Reserve = Callable[[Sequence[int], str], dict[int, Hand]]
FREE = {"default": 1}


class Desk:
    """A process of the controller, as agents meet it."""

    def __init__(self, queue: JobQueue) -> None:
        """Begin without questions."""
        self.queue = queue
        self.nodes = Nodes()
        self.parking = Parking(queue, self.nodes, StandingOrders())
        self.orders = Orders(queue)
        self._turns = 0

    def ask(self, node: int, free: dict[str, int] | None = None, held: Sequence[JobRef] = ()) -> Question:
        """Put a node's question, and let it rest unless it is answered at once."""
        self._turns += 1
        ask = Ask(session="s", turn=self._turns, free=FREE if free is None else free, held=list(held))
        question = self.parking.ask(Node.rows({"_id": node})[0], ask)
        question.begin(lambda *, urgent: None)  # noqa: ARG005 - the test looks by itself
        return question

    def rest(self, node: int, free: dict[str, int] | None = None) -> Question:
        """Put a question for which there is nothing yet."""
        question = self.ask(node, free)
        assert question.look() is None
        return question

    def order(self, script: str = "test/again") -> int:
        return self.orders.on_all(script, Target(("rack",)), {"n": 7}, Terms())

    def child(self, parent: int) -> dict[str, object]:
        return dict(Job.rows({"parent": parent})[0])

    def end(self, node: int, job: Assignment, state: str = "OK") -> None:
        result = Result(attempt=job.attempt, state=state, reason="", result=job.args["n"], started=1.0, ended=2.0)
        assert self.queue.result(node, job.id, result)


@pytest.fixture
def desk(queue: JobQueue) -> Iterator[Desk]:
    found = Desk(queue)
    yield found
    found.parking.stop()


@pytest.fixture
def rack(desk: Desk, make_node: MakeNode, bus: EventBus) -> int:
    """Make a node whose questions are this process's, of which everybody has heard."""
    node = make_node("rack", session="s")
    with bus.subscribe(f"node:{node}") as changes:
        desk.nodes.asks_here(Node.rows({"_id": node})[0], 0)
        while (change := changes.get(30)) is not None and not (change.row or {}).get("asks"):
            pass
    gevent.sleep(0)  # the others who listen have their turn
    return node


def states(row: dict[str, object]) -> list[str]:
    return [entry["status"] for entry in row["history"]]  # type: ignore[attr-defined]


def only(work: Work | None) -> Assignment:
    assert work is not None
    (job,) = work.jobs
    return job


def test_a_child_is_stored_as_begun_and_handed_over(desk: Desk, rack: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is given its child without being looked up; it ends like any other."""
    question = desk.rest(rack)
    with monkeypatch.context() as patched:
        patched.setattr(desk.queue, "answer", None)  # nobody leases anything
        parent = desk.order()
        job = only(question.look())
    row = desk.child(parent)
    assert (row["id"], row["status"], row["session"], row["given_begun"]) == (job.id, "RUNNING", "s", 1)
    assert states(row) == ["QUEUED", "RUNNING"]
    assert (job.attempt, job.begun, job.args, job.script) == (1, True, {"n": 7}, "test/again")
    assert desk.ask(rack, held=[JobRef(id=job.id, attempt=1)]).look() is None
    desk.end(rack, job)
    desk.queue.sweep()
    assert Job.rows({"_id": parent})[0]["status"] == "OK"


@pytest.mark.parametrize("why", ["not idempotent", "no worker free", "asks elsewhere", "something waits"])
def test_who_cannot_begin_at_once_is_given_it_as_ever(
    desk: Desk, rack: int, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """What is not known to be free, safe and alone in the queue waits, and is leased."""
    question = desk.rest(rack, {} if why == "no worker free" else FREE)
    if why == "asks elsewhere":
        asking_here = desk.nodes.asking_here

        def move(nodes: Sequence[int]) -> dict[int, str]:
            Node.collection().update_one({"_id": rack}, {"$set": {"asks": "another"}})
            return asking_here(nodes)

        monkeypatch.setattr(desk.nodes, "asking_here", move)
    if why == "something waits":
        desk.queue.submit(rack, "test/again", {"n": 1})
    row = desk.child(desk.order("test/once" if why == "not idempotent" else "test/again"))
    assert (row["status"], row["attempt"]) == ("QUEUED", 0)
    if why != "asks elsewhere":
        work = question.look()
        assert work is not None
        assert [job.args["n"] for job in work.jobs] == ([1, 7] if why == "something waits" else [7])


def test_a_child_whose_agent_has_gone_meanwhile_waits(desk: Desk, rack: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that ends while its child is stored: the child waits for the next one, as never begun."""
    question = desk.rest(rack)
    reserve: Reserve = desk.parking.reserve

    def cut(nodes: Sequence[int], queue: str) -> dict[int, Hand]:
        reserved = reserve(nodes, queue)
        assert question.look() is None  # nobody else answers it meanwhile
        assert question.look(last=True) is None
        question.cut()
        return reserved

    monkeypatch.setattr(desk.parking, "reserve", cut)
    row = desk.child(desk.order())
    assert (row["status"], row["attempt"], row["not_got"], row["leased_until"]) == ("QUEUED", 1, 1, None)
    job = only(desk.ask(rack).look())
    assert (job.id, job.attempt) == (row["id"], 2)
    desk.end(rack, job)


def test_an_answer_that_is_lost_is_given_again(desk: Desk, rack: int) -> None:
    """An agent that was handed a child, and does not say that it has it, is given it again."""
    question = desk.rest(rack)
    parent = desk.order()
    lost = only(question.look())
    again = desk.ask(rack)
    assert again.look() is None  # what it lacks waits again, of which it is told
    job = only(again.look())
    assert (job.id, job.attempt) == (lost.id, 2)
    assert desk.child(parent)["not_got"] == 1


def test_what_is_stopped_while_it_is_stored_is_not_handed_over(
    desk: Desk, rack: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fan-out that is cancelled meanwhile: no agent begins anything, and the question waits on."""
    question = desk.rest(rack)
    reserve: Reserve = desk.parking.reserve

    def stop(nodes: Sequence[int], queue: str) -> dict[int, Hand]:
        Job.collection().update_one({"node_id": None}, {"$set": {"fan.stopped": "enough", "cancel": "enough"}})
        return reserve(nodes, queue)

    monkeypatch.setattr(desk.parking, "reserve", stop)
    parent = desk.order()
    row = desk.child(parent)
    assert (row["status"], row["reason"]) == (JobState.CANCELLED, "enough")
    assert states(row) == ["QUEUED", "RUNNING", "QUEUED", "CANCELLED"]
    assert question.look() is None
    desk.queue.submit(rack, "test/again", {"n": 2})
    assert only(question.look()).args == {"n": 2}


def test_a_child_that_another_process_has_stored_is_its_own(
    desk: Desk, rack: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes begin the same fan-out: the child of the first stays, the question waits for it."""
    question = desk.rest(rack)
    reserve: Reserve = desk.parking.reserve

    def be_late(nodes: Sequence[int], queue: str) -> dict[int, Hand]:
        reserved = reserve(nodes, queue)
        parent = Job.rows({"node_id": None})[0]
        first = {name: parent[name] for name in ("script", "sha256", "args", "queue", "idempotent", "timeout")}
        waits = {"parent": parent["id"], "status": "QUEUED", "attempt": 0, "cancel": None, "history": []}
        mine = {"_id": Job.next_id(), "node_id": rack, "expires": parent["created"] + 60, "expire_after": 60.0}
        Job.collection().insert_one({**first, **waits, **mine})
        return reserved

    monkeypatch.setattr(desk.parking, "reserve", be_late)
    parent = desk.order()
    assert states(desk.child(parent)) == []
    job = only(question.look())
    assert (job.id, job.attempt) == (desk.child(parent)["id"], 1)
