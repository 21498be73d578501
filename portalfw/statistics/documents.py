"""What is kept beside the figures themselves."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine
from mongoengine import DictField, IntField, ListField, StringField
from pymongo.collection import Collection

from portalfw.store import Document


class StatisticsNode(Document):
    """How far a node's samples have come in, and of what there are figures now; the id is the node's."""

    meta: ClassVar[dict[str, Any]] = {"collection": "statistics_node", "indexes": []}

    spool = StringField()
    upto = IntField()
    at = IntField()
    things = ListField(DictField())


def names() -> Collection[dict[str, Any]]:
    """Return the collection of one row: the names of all figures there have ever been, since rolling up names them."""
    found: Collection[dict[str, Any]] = mongoengine.get_db()["statistics_names"]
    return found


def progress() -> Collection[dict[str, Any]]:
    """Return the collection of how far each level has been made, by its name.

    It is whole up to ``done``; what comes for times before ``closing`` may not have been seen by the duty.
    """
    found: Collection[dict[str, Any]] = mongoengine.get_db()["statistics_rollup"]
    return found
