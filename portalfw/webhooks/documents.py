"""What is kept of webhooks and their deliveries. Times are epoch seconds (UTC)."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, get_args

import mongoengine

from portalfw.store import Document

Event = Literal["alert.raised", "alert.changed", "alert.escalated", "health.changed", "health.overall", "test"]
"""``health.changed`` is one finding, ``health.overall`` the state of the whole."""

EVENTS: Final[tuple[Event, ...]] = get_args(Event)
KEEP: Final = 30 * 86400  # seconds that a delivery is on record


class Webhook(Document):
    """An address that is told of some events."""

    meta: ClassVar[dict[str, Any]] = {"collection": "webhook", "indexes": [("enabled", "events")]}

    name = mongoengine.StringField(required=True)
    url = mongoengine.StringField(required=True)
    proof = mongoengine.StringField(default="none")  # none, bearer or hmac: how the receiver knows us
    secret = mongoengine.StringField(default="")
    events = mongoengine.ListField(mongoengine.StringField())
    enabled = mongoengine.BooleanField(default=True)
    created = mongoengine.FloatField()
    created_by = mongoengine.StringField(default="")


class WebhookDelivery(Document):
    """One event to one address: QUEUED, SENDING, then SENT or FAILED."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "webhook_delivery",
        "indexes": [
            ("status", "next_try"),
            ("webhook", "-created"),
            "-created",
            {"fields": ["date"], "expireAfterSeconds": KEEP},
        ],
    }

    webhook = mongoengine.IntField()
    event = mongoengine.StringField()
    body = mongoengine.StringField()  # JSON, the same at each try
    status = mongoengine.StringField()
    code = mongoengine.IntField()  # of the last answer
    answer = mongoengine.StringField()  # its beginning
    error = mongoengine.StringField()
    seconds = mongoengine.FloatField()  # that the last try took
    tries = mongoengine.IntField()
    created = mongoengine.FloatField()
    changed = mongoengine.FloatField()
    next_try = mongoengine.FloatField()
    process = mongoengine.StringField()  # that sends it now
    date = mongoengine.DateTimeField()  # as created, for MongoDB's expiry
