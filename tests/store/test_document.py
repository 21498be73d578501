"""The base document against a real MongoDB."""

from __future__ import annotations

from typing import Any, ClassVar

import gevent
import mongoengine
import pytest

from portalfw.controller.documents import Node
from portalfw.errors import ConflictError, NotFoundError
from portalfw.events import Change, EventBus
from portalfw.store import Document, Lease

pytestmark = pytest.mark.usefixtures("database")


class Kettle(Document):
    """Something with a life cycle."""

    meta: ClassVar[dict[str, Any]] = {"collection": "kettle"}
    name = mongoengine.StringField()
    status = mongoengine.StringField()
    update_time = mongoengine.FloatField()


def test_ids_are_small_and_unique() -> None:
    """Documents made side by side get different integer ids, counted from one."""
    made = [gevent.spawn(Kettle.create, name=str(number)) for number in range(20)]
    gevent.joinall(made, raise_error=True)
    assert sorted(greenlet.value.id for greenlet in made) == list(range(1, 21))


def test_get_unknown_names_kind_and_id() -> None:
    """An unknown id gives an error that names the kind and the id."""
    with pytest.raises(NotFoundError, match="Kettle 99 does not exist"):
        Kettle.get(99)


def test_transition_moves_once() -> None:
    """Of many greenlets that try the same transition exactly one succeeds; the others learn the state."""
    kettle = Kettle.create(status="COLD")

    def boil() -> str:
        try:
            return str(Kettle.transition(kettle.id, from_={"COLD"}, to="HOT").status)
        except ConflictError as error:
            return error.message

    tried = [gevent.spawn(boil) for _ in range(10)]
    gevent.joinall(tried, raise_error=True)
    assert sorted(greenlet.value for greenlet in tried) == ["HOT"] + ["Kettle 1 is HOT; this needs COLD."] * 9


def test_rows_are_plain_and_sorted() -> None:
    """Lists are plain rows with ``id``, sorted and paged as asked."""
    for name in ("c", "a", "b"):
        Kettle.create(name=name)
    assert [row["name"] for row in Kettle.rows(sort="-name", limit=2)] == ["c", "b"]
    assert set(Kettle.rows(fields=["name"])[0]) == {"id", "name"}


def test_lease_has_one_holder() -> None:
    """A lease is refused to a second holder until it is released or runs out."""
    assert Lease("boil", 30, "one").acquire()
    assert Lease("boil", 30, "one").acquire()
    assert not Lease("boil", 30, "two").acquire()
    Lease("boil", 30, "one").release()
    assert Lease("boil", -1, "two").acquire()
    assert Lease("boil", 30, "three").acquire()


def test_bus_tells_topic_subscribers(bus: EventBus) -> None:
    """A subscriber of one document hears its changes with the whole row, and nothing of others."""
    one, two = Kettle.create(status="COLD"), Kettle.create(status="COLD")
    with bus.subscribe(f"kettle:{two.id}") as subscription:
        while subscription.get(0.2):
            pass
        Kettle.transition(one.id, from_={"COLD"}, to="HOT")
        Kettle.transition(two.id, from_={"COLD"}, to="HOT")
        change = subscription.get(5)
        assert change is not None
        assert (change.id, change.operation, change.row and change.row["status"]) == (two.id, "update", "HOT")


def test_bus_tells_late_comers_what_they_missed(bus: EventBus) -> None:
    """Who names a position learns which of his topics changed since; a position of another life counts as unknown."""
    with bus.subscribe("kettle") as subscription:
        before = bus.position
        one = Kettle.create(status="COLD")
        assert subscription.get(5) is not None
        topics = ["kettle:99", f"kettle:{one.id}"]
        assert bus.missed(before, topics) == {f"kettle:{one.id}"}
        assert bus.missed(bus.position, topics) == set()
        assert bus.missed("elsewhere-7", topics) == set(topics)


def test_bus_reads_what_has_changed_together(bus: EventBus) -> None:
    """Of many changes at once each comes in its order with its document as it is now, of one that is gone without."""
    ids = [Kettle.create(status="COLD").id for _ in range(50)]
    with bus.subscribe("kettle") as subscription:
        while subscription.get(0.2):
            pass
        Kettle.collection().update_many({}, {"$set": {"status": "WARM"}})
        Kettle.collection().update_many({"_id": {"$in": ids[10:]}}, {"$set": {"status": "HOT"}})
        Kettle.collection().delete_one({"_id": ids[0]})
        changes: list[Change] = []
        while not changes or changes[-1].operation != "delete":
            change = subscription.get(5)
            assert change is not None
            changes.append(change)
    assert [(change.id, change.operation) for change in changes] == [
        *((identity, "update") for identity in [*ids, *ids[10:]]),
        (ids[0], "delete"),
    ]
    now = {identity: "HOT" if identity in ids[10:] else "WARM" for identity in ids[1:]}
    assert {change.id: change.row["status"] for change in changes if change.row and change.id in now} == now


def test_a_heartbeat_is_no_news(bus: EventBus) -> None:
    """That a node was seen again wakes nobody; that it came or went does."""
    with bus.subscribe("node") as subscription:
        node = Node.create(name="n1", connected=True)
        assert subscription.get(timeout=20)
        Node.collection().update_one({"_id": node.id}, {"$set": {"last_seen": 1.0}})
        Node.collection().update_one({"_id": node.id}, {"$set": {"last_seen": 2.0, "connected": False}})
        change = subscription.get(timeout=20)
        assert change is not None
        assert change.row is not None
        assert change.row["connected"] is False
        assert bus.position.endswith("-2")
