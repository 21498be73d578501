"""What is kept of an alert, and the table of its states. Times are epoch seconds (UTC)."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

import mongoengine

from portalfw.store import Document

State = Literal["ALERT", "ACCEPTED", "RESOLVED", "UNRESOLVED", "CLOSED"]
Severity = Literal["CRITICAL", "WARNING", "INFO"]

FROM: Final[dict[State, tuple[State, ...]]] = {
    "ACCEPTED": ("ALERT", "UNRESOLVED"),
    "RESOLVED": ("ALERT", "ACCEPTED", "UNRESOLVED"),
    "UNRESOLVED": ("ALERT", "ACCEPTED", "RESOLVED"),
    "CLOSED": ("ALERT", "ACCEPTED", "RESOLVED", "UNRESOLVED"),
    "ALERT": ("ACCEPTED", "RESOLVED", "UNRESOLVED", "CLOSED"),
}
"""The states that an alert may be in before it comes into each one."""

LEVELS: Final = (1, 2, 3)
"""Whom an alert is for: the groups level1, level2, level3."""

RANK: Final[dict[Severity, int]] = {"CRITICAL": 1, "WARNING": 2, "INFO": 3}
"""The numbers that the originals gave to levels of error conditions (portal-framework.md, section 5.1)."""

REMEMBERED: Final = 200  # entries of the history


class Alert(Document):
    """One thing to look at. As long as it is not closed it is the only one of its ``key``."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "alert",
        "indexes": [
            {"fields": ["open_key"], "unique": True, "sparse": True},
            ("status", "-last"),
            ("key", "-last"),
            "-last",
            ("status", "since"),
            ("status", "mailed"),
        ],
    }

    key = mongoengine.StringField(required=True)
    open_key = mongoengine.StringField()  # the key again, absent once it is closed
    category = mongoengine.StringField()
    severity = mongoengine.StringField()
    description = mongoengine.StringField()
    page = mongoengine.StringField(default="")  # where more is to be seen
    status = mongoengine.StringField(default="ALERT")
    level = mongoengine.IntField(default=1)
    assigned_user = mongoengine.StringField(default="")
    count = mongoengine.IntField(default=1)
    first = mongoengine.FloatField()
    last = mongoengine.FloatField()
    closed = mongoengine.FloatField()
    since = mongoengine.FloatField()  # it has this state and level
    mailed = mongoengine.IntField(default=0)  # the highest level whose people were written to
    history = mongoengine.ListField(mongoengine.DictField())  # user, state, epoch, comment
