"""What the controller keeps in MongoDB. Times are epoch seconds (UTC)."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Final

from mongoengine import BooleanField, DictField, DynamicField, FloatField, IntField, ListField, StringField
from pymongo import ReturnDocument

from portalfw.store import Document

PENDING: Final = "PENDING"
ACCEPTED: Final = "ACCEPTED"
DISABLED: Final = "DISABLED"
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
            {"fields": ["credential_next"], "sparse": True},
            {"fields": ["credential_old.hash"], "sparse": True},
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
    hello_uptime = FloatField()
    session = StringField()
    asks = StringField()
    asks_turn = IntField()
    last_seen = FloatField()
    connected = BooleanField(default=False)
    facts = DictField()
    abilities = DictField()
    credential_hash = StringField()
    credential_since = FloatField()
    credential_next = StringField()
    credential_old = DictField()
    entered_with = StringField()
    rotate = BooleanField(default=False)
    history = ListField(DictField())
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
    asker = StringField()
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
    text = BooleanField(default=False)
    path = StringField()
    source = StringField()
    broken = StringField()
    header = DictField()
    arguments = ListField(DictField())
    open_arguments = BooleanField(default=False)
    loaded = FloatField()


class Job(Document):
    """One run of a JumpScript on a node, through all its attempts; or the parent of such runs on many nodes.

    A parent has no ``node_id`` and a ``fan``: how many children there are to be, how many have been begun, how they
    stand. A job for any node of a ``target`` has no ``node_id`` until one is there. Only children have ``parent``.
    """

    meta: ClassVar[dict[str, Any]] = {
        "collection": "job",
        "indexes": [
            ("node_id", "status", "_id"),
            ("status", "leased_until"),
            ("status", "expires"),
            ("status", "ended"),
            "-created",
            {"fields": ["parent", "node_id"], "unique": True, "partialFilterExpression": {"parent": {"$exists": True}}},
            {"fields": ["parent", "status"], "partialFilterExpression": {"parent": {"$exists": True}}},
            {"fields": ["target.any", "status"], "partialFilterExpression": {"target.any": True}},
            {"fields": ["occurrence"], "unique": True, "sparse": True},
            ("script", "node_id", "_id"),
            {"fields": ["routine", "_id"], "partialFilterExpression": {"routine": False}},
            {"fields": ["schedule", "status"], "partialFilterExpression": {"schedule": {"$exists": True}}},
        ],
    }

    node_id = IntField()
    parent = IntField()
    target = DictField()
    fan = DictField()
    priority = IntField(default=0)
    retry_of = IntField()
    schedule = IntField()
    occurrence = StringField()
    script = StringField(required=True)
    sha256 = StringField(required=True)
    args = DynamicField()
    queue = StringField()
    timeout = FloatField()
    limits = DictField()
    idempotent = BooleanField()
    log = BooleanField(default=True)
    routine = BooleanField(default=False)
    submitted_by = StringField(default="")
    status = StringField()
    reason = StringField(default="")
    attempt = IntField(default=0)
    session = StringField()
    lease = StringField()
    given_begun = IntField()
    not_got = IntField()
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


class Schedule(Document):
    """A JumpScript that runs again and again. ``due`` is its next occurrence, ``fire`` the same with jitter."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "schedule",
        "indexes": [{"fields": ["name"], "unique": True}, ("enabled", "fire"), ("enabled", "at_boot")],
    }

    name = StringField(required=True)
    script = StringField(required=True)
    args = DictField()
    roles = ListField(StringField())
    gid = IntField()
    on = StringField(default="all")
    when = DynamicField()
    at_boot = BooleanField(default=False)
    offline = BooleanField(default=False)
    jitter = FloatField(default=0.0)
    grace = FloatField()
    overlap = StringField(default="skip")
    batch = IntField(default=0)
    priority = IntField(default=0)
    timeout = FloatField()
    expires = FloatField()
    enabled = BooleanField(default=True)
    origin = StringField(default="operator")
    created = FloatField()
    created_by = StringField(default="")
    due = FloatField()
    fire = FloatField()


class ScheduleRun(Document):
    """What became of one occurrence of a schedule, or of several that were missed together."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "schedule_run",
        "indexes": [{"fields": ["schedule", "key"], "unique": True}, ("status", "at"), ("schedule", "-at"), "at"],
    }

    schedule = IntField(required=True)
    key = StringField(required=True)
    due = FloatField()
    until = FloatField()
    count = IntField(default=1)
    node_id = IntField()
    status = StringField()
    reason = StringField(default="")
    at = FloatField()
    job = IntField()


class FanOutPlan(Document):
    """The nodes of a fan-out in the order of their turns; it has the id of its parent job and never changes."""

    meta: ClassVar[dict[str, Any]] = {"collection": "fan_out_plan", "indexes": []}

    nodes = ListField(IntField())


class JobOutput(Document):
    """Some consecutive lines of one attempt's output; ``offset`` is the number of the first.

    ``at`` is when the last of them was said, ``level`` what the worst one is (``output.RANKS``).
    """

    meta: ClassVar[dict[str, Any]] = {
        "collection": "job_output",
        "indexes": [
            {"fields": ["job", "attempt", "offset"], "unique": True},
            ("level", "-at", "-_id"),
            ("node_id", "level", "-at", "-_id"),
            ("script", "level", "-at", "-_id"),
        ],
    }

    job = IntField(required=True)
    attempt = IntField(required=True)
    offset = IntField(required=True)
    node_id = IntField()
    script = StringField()
    at = FloatField()
    level = IntField()
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
