"""What the processes of an installation share about spaces: git objects, heads, conflicts, drafts and locks."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine

from portalfw.store import Document

DRAFT_DAYS = 30


class GitObject(Document):
    """One object of a space's repository; ``id`` is its SHA-1 in hexadecimal."""

    meta: ClassVar[dict[str, Any]] = {"collection": "git_object", "indexes": ["space"]}

    id = mongoengine.StringField(primary_key=True)
    space = mongoengine.StringField()  # that first had it
    type = mongoengine.IntField()
    data = mongoengine.BinaryField()  # compressed


class SpaceHead(Document):
    """Where a space's branches are; moved by compare-and-set only."""

    meta: ClassVar[dict[str, Any]] = {"collection": "space_head"}

    id = mongoengine.StringField(primary_key=True)  # name of the space
    main = mongoengine.StringField()
    shipped = mongoengine.StringField()
    remote = mongoengine.StringField()  # URL
    deleted = mongoengine.FloatField()  # when; its pages are served no more, its objects stay until it is purged
    deleted_by = mongoengine.StringField()
    title = mongoengine.StringField()  # of a deleted one


class PageConflict(Document):
    """A file whose two sides could not be merged; the installation's own text is served until somebody decides."""

    meta: ClassVar[dict[str, Any]] = {"collection": "page_conflict", "indexes": ["space"]}

    id = mongoengine.StringField(primary_key=True)  # space and path
    space = mongoengine.StringField()
    path = mongoengine.StringField()
    source = mongoengine.StringField()  # shipped or remote
    base = mongoengine.StringField()  # ids of the blobs; none where the file was not there
    theirs = mongoengine.StringField()
    revision = mongoengine.StringField()  # the merge
    date = mongoengine.FloatField()


class PageDraft(Document):
    """A text that somebody has not saved yet."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "page_draft",
        "indexes": [{"fields": ["date"], "expireAfterSeconds": DRAFT_DAYS * 86400}, "user"],
    }

    id = mongoengine.StringField(primary_key=True)
    user = mongoengine.StringField()
    space = mongoengine.StringField()
    page = mongoengine.StringField()
    text = mongoengine.StringField()
    base = mongoengine.StringField()  # the revision that the text was made from
    date = mongoengine.DateTimeField()


class PageLock(Document):
    """Who edits a page now. It hinders nobody."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "page_lock",
        "indexes": [{"fields": ["expires"], "expireAfterSeconds": 600}],
    }

    id = mongoengine.StringField(primary_key=True)  # as in the page's topic
    space = mongoengine.StringField()
    page = mongoengine.StringField()
    user = mongoengine.StringField()
    since = mongoengine.FloatField()
    expires = mongoengine.DateTimeField()
    broken = mongoengine.ListField()  # [user whose lock was broken, by whom]
