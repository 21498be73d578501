"""What is kept of consoles: one document for each ticket, and for the console that was opened with it."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import mongoengine

from portalfw.store import Document

KEEP: Final = 86400
"""Seconds until MongoDB drops a ticket: a day, so that a page that is loaded again knows what it showed."""


class ConsoleTicket(Document):
    """The right of one user to open one screen, once; then what became of it. Times are epoch seconds."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "console_ticket",
        "indexes": [
            {"fields": ["hash"], "unique": True},
            "tunnel",
            ("user", "closed"),
            {"fields": ["date"], "expireAfterSeconds": KEEP},
        ],
    }

    hash = mongoengine.StringField(required=True)
    user = mongoengine.StringField(required=True)
    screen = mongoengine.DictField()
    created = mongoengine.FloatField()
    date = mongoengine.DateTimeField()  # the same as created, for MongoDB's expiry
    expires = mongoengine.FloatField()
    used = mongoengine.FloatField()
    tunnel = mongoengine.StringField()
    job_id = mongoengine.IntField()
    seen = mongoengine.FloatField()  # by the process that carries its bytes
    closed = mongoengine.FloatField()
    reason = mongoengine.StringField()
