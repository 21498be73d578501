"""What every object with a life cycle has: a state, why it is in it, and the operation that is changing it."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from portalfw.store import Document

#: The query for all that is not destroyed, those that could never be made too; an equality, so that indexes serve it.
NOT_GONE: dict[str, Any] = {"deletion_time": 0.0}


class RunningOperation(mongoengine.EmbeddedDocument):  # type: ignore[misc]  # mongoengine carries no types
    """The operation that holds an object in a transitional state."""

    key = mongoengine.StringField(required=True)  # only who knows it may end the operation
    name = mongoengine.StringField(required=True)
    owner = mongoengine.StringField(required=True)  # process id of the runtime that works on it
    previous = mongoengine.StringField(required=True)  # the state before
    started = mongoengine.FloatField(required=True)
    expires = mongoengine.FloatField(required=True)  # after this time nobody works on it any more
    job_id = mongoengine.IntField()
    step = mongoengine.StringField(default="")
    progress = mongoengine.IntField(default=0)  # percent


class LifeCycleDocument(Document):
    """A document whose ``status`` moves only along its table in :mod:`actors.cloud.states`."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    status = mongoengine.StringField(required=True)
    status_reason = mongoengine.StringField(default="")  # why it is in this state, for people
    operation = mongoengine.EmbeddedDocumentField(RunningOperation)
    live = mongoengine.BooleanField(default=True)  # it holds its name; False once destroyed, or when never made
    creation_time = mongoengine.FloatField()
    update_time = mongoengine.FloatField()
    deletion_time = mongoengine.FloatField(default=0.0)
