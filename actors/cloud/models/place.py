"""Where machines run: locations and their stacks."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from actors.cloud.models.lifecycle import LifeCycleDocument
from portalfw.store import Document


class Location(Document):
    """A grid of nodes at one place."""

    meta: ClassVar[dict[str, Any]] = {"collection": "location", "indexes": [{"fields": ["gid"], "unique": True}]}

    gid = mongoengine.IntField(required=True)
    name = mongoengine.StringField(required=True)
    location_code = mongoengine.StringField(required=True)
    flag = mongoengine.StringField(default="")


class Claim(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """Memory of a stack that a machine uses."""

    machine_id = mongoengine.IntField(required=True)
    memory = mongoengine.IntField(required=True)  # MiB


class Stack(LifeCycleDocument):
    """What a physical node offers to machines."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "stack",
        "indexes": [{"fields": ["reference_id"], "unique": True}],
    }

    name = mongoengine.StringField(required=True)
    reference_id = mongoengine.IntField(required=True)  # id of the node
    gid = mongoengine.IntField(required=True)
    memory = mongoengine.IntField(default=0)  # MiB for machines: the node's own share is already taken off
    images = mongoengine.ListField(mongoengine.IntField())  # ids of images that the node has
    claims = mongoengine.EmbeddedDocumentListField(Claim)
    session = mongoengine.StringField(default="")  # the agent's session when its machines were last compared
    checked = mongoengine.FloatField(default=0.0)  # when that was
