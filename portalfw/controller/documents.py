"""What the controller keeps in MongoDB. Times are epoch seconds (UTC)."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Final

from mongoengine import BooleanField, DictField, DynamicField, FloatField, IntField, ListField, StringField
from pymongo import ReturnDocument

from portalfw.store import Document

PENDING: Final = "PENDING"
ENABLED: Final = "ENABLED"
MAINTENANCE: Final = "MAINTENANCE"
DECOMMISSIONED: Final = "DECOMMISSIONED"
WORKING: Final = frozenset({ENABLED, MAINTENANCE})
"""States of a node that is given jobs."""


class Node(Document):
    """A machine with an agent. ``connected`` tells whether the agent is there now."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "node",
        "indexes": [
            {"fields": ["credential_hash"], "unique": True, "sparse": True},
            ("roles", "connected"),
        ],
    }

    gid = IntField()
    name = StringField(required=True)
    roles = ListField(StringField())
    status = StringField(default=PENDING)
    reason = StringField(default="")
    address = StringField(default="")
    created = FloatField()
    version = StringField(default="")
    boot_id = StringField()
    session = StringField()
    last_seen = FloatField()
    connected = BooleanField(default=False)
    facts = DictField()
    abilities = DictField()
    credential_hash = StringField()
    update_time = FloatField()


class JoinToken(Document):
    """The right of one machine to become a node, once."""

    meta: ClassVar[dict[str, Any]] = {"collection": "join_token", "indexes": [{"fields": ["hash"], "unique": True}]}

    hash = StringField(required=True)
    roles = ListField(StringField())
    gid = IntField()
    accept = BooleanField(default=True)
    created = FloatField()
    created_by = StringField(default="")
    expires = FloatField(required=True)
    used = FloatField()
    node_id = IntField()


class Script(Document):
    """One version of a JumpScript; ``current`` is the one that new jobs take, ``broken`` says why it cannot be run."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "script",
        "indexes": [{"fields": ["name", "sha256"], "unique": True}, "sha256", ("name", "current")],
    }

    name = StringField(required=True)
    sha256 = StringField(required=True)
    current = BooleanField(default=True)
    path = StringField()
    source = StringField()
    broken = StringField()
    header = DictField()
    arguments = ListField(DictField())
    open_arguments = BooleanField(default=False)
    loaded = FloatField()


class Job(Document):
    """One run of a JumpScript on a node, through all its attempts."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "job",
        "indexes": [
            ("node_id", "status", "_id"),
            ("status", "leased_until"),
            ("status", "expires"),
            ("status", "ended"),
            "-created",
        ],
    }

    node_id = IntField(required=True)
    script = StringField(required=True)
    sha256 = StringField(required=True)
    args = DynamicField()
    queue = StringField()
    timeout = FloatField()
    idempotent = BooleanField()
    log = BooleanField(default=True)
    submitted_by = StringField(default="")
    status = StringField()
    reason = StringField(default="")
    attempt = IntField(default=0)
    session = StringField()
    created = FloatField()
    expires = FloatField()
    expire_after = FloatField()
    leased_until = FloatField()
    started = FloatField()
    ended = FloatField()
    seconds = FloatField()
    cancel = StringField()
    cancel_told = IntField()
    result = DynamicField()
    traceback = StringField(default="")
    progress = DictField()
    lines = IntField(default=0)
    history = ListField(DictField())


class JobOutput(Document):
    """Some consecutive lines of one attempt's output; ``offset`` is the number of the first."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "job_output",
        "indexes": [{"fields": ["job", "attempt", "offset"], "unique": True}],
    }

    job = IntField(required=True)
    attempt = IntField(required=True)
    offset = IntField(required=True)
    lines = ListField(DictField())


class Site(Document):
    """The installation: its prefix starts the names of everything that it makes on its nodes."""

    meta: ClassVar[dict[str, Any]] = {"collection": "site", "indexes": []}

    prefix = StringField(required=True)


def site_prefix() -> str:
    """Return the prefix of this installation: ``pf`` and four random hexadecimal digits, made once per database."""
    fresh = {"prefix": f"pf{secrets.token_hex(2)}"}
    row = Site.collection().find_one_and_update(
        {"_id": 1}, {"$setOnInsert": fresh}, upsert=True, return_document=ReturnDocument.AFTER
    )
    return str(row["prefix"] if row else "")
