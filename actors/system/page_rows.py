"""The shapes of what ``system/pages`` takes and answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from portalfw.errors import InvalidError
from portalfw.history.attachments import Attachment
from portalfw.history.earlier import Blamed
from portalfw.history.linkindex import Source
from portalfw.history.locks import Lock
from portalfw.history.moving import Moved
from portalfw.history.names import name_of
from portalfw.history.pages import Saved
from portalfw.history.past import Revision
from portalfw.history.recent import Recent
from portalfw.rest import Arg

Space = Annotated[str, Arg("Space", help="Name of the space, as in its address."), Field(max_length=100)]
Page = Annotated[str, Arg("Page", help="Name of the page, in any letter case."), Field(max_length=200)]
OfPage = Annotated[str | None, Arg("Page", help="Whose file it is; of the space if left out."), Field(max_length=200)]
Text = Annotated[str, Arg("Text", help="Source: front matter and Markdown.", multiline=True)]
RevisionId = Annotated[str, Arg("Revision"), Field(max_length=64)]
Base = Annotated[str, Arg("Base", help="Revision that the text was made from."), Field(max_length=64)]
Action = Literal["created", "edited", "renamed", "deleted"]
Message = Annotated[str, Arg("Message", help="What was changed, and why."), Field(max_length=500)]


class PageRef(TypedDict):
    """A page."""

    space: str
    page: str
    address: str


class PageSource(PageRef):
    """A page's source: ``revision`` goes back as ``base`` of a save, ``rights`` are the caller's letters."""

    text: str
    revision: str
    rights: str
    lock: Lock | None


class SavedPage(PageRef):
    """A saved page: with ``merged``, ``text`` also holds what others wrote meanwhile."""

    revision: str
    changed: bool
    merged: bool
    text: str


class Preview(TypedDict):
    """A rendered text."""

    title: str
    layout: str
    html: str
    sub: str
    state: str
    actions: str


class MovedPage(PageRef):
    """A page under its new name: whose links were rewritten, and whose were left since the caller may not write them.

    ``unseen`` counts those that the caller may not read.
    """

    revision: str
    rewritten: list[PageRef]
    left: list[PageRef]
    unseen: int


class Commit(TypedDict):
    """One change: who made it, when and why."""

    revision: str
    author: str
    date: float
    message: str


class RevisionRow(Commit):
    """One change of a page; ``before`` is the name that a renaming took away."""

    action: Action
    page: str
    before: str | None


class RecentRow(PageRef, Commit):
    """One change of one page; ``before`` is the revision to compare with."""

    action: Action
    before: str


class BlameRow(Commit):
    """Lines of a page, counted from 1, that one revision brought."""

    start: int
    lines: int


class WantedRow(PageRef):
    """A page that is linked to and that there is not."""

    count: int
    linkedFrom: list[PageRef]


class FileRow(TypedDict):
    """An attachment; ``link`` is how pages of the space link to it, ``markdown`` what shows it."""

    name: str
    page: str | None
    size: int
    image: bool
    address: str
    link: str
    markdown: str


def page_ref(space: str, name: str) -> PageRef:
    """Return a page as an answer."""
    return {"space": space, "page": name, "address": f"/{space}/{name}"}


def commit(one: Revision | Recent | Blamed) -> Commit:
    """Return who made a change, when and why, as an answer."""
    return {"revision": one.revision, "author": one.author, "date": one.date, "message": one.message}


def saved_row(saved: Saved) -> SavedPage:
    """Return a saved page as an answer."""
    return {
        **page_ref(saved.space, saved.name),
        "revision": saved.revision,
        "changed": saved.changed,
        "merged": saved.merged,
        "text": saved.text,
    }


def file_row(one: Attachment) -> FileRow:
    """Return an attachment as an answer."""
    return {
        "name": one.name,
        "page": one.page,
        "size": one.size,
        "image": one.image,
        "address": one.address,
        "link": one.link,
        "markdown": f"{'!' if one.image else ''}[{one.name.rpartition('.')[0]}]({one.link})",
    }


def refs(found: Iterable[tuple[str, str]]) -> list[PageRef]:
    """Return pages as an answer."""
    return [page_ref(space, name) for space, name in found]


def source_rows(found: Iterable[Source]) -> list[PageRef]:
    """Return the pages among ``found`` that the caller may read."""
    return [page_ref(one.space, one.name) for one in found if one.readable]


def moved_row(moved: Moved) -> MovedPage:
    """Return a moved page as an answer."""
    return {
        **page_ref(moved.space, moved.name),
        "revision": moved.revision,
        "rewritten": refs(moved.rewritten),
        "left": refs(moved.left),
        "unseen": moved.unseen,
    }


def revision_row(one: Revision) -> RevisionRow:
    """Return a revision as an answer."""
    before = name_of(one.before) if one.action == "renamed" and one.before else None
    return {
        **commit(one),
        "action": one.action,
        "page": name_of(one.path),
        "before": before,
    }


def recent_row(one: Recent) -> RecentRow:
    """Return a change as an answer."""
    return {
        **page_ref(one.space, one.name),
        **commit(one),
        "action": one.action,
        "before": one.before,
    }


def blame_row(one: Blamed) -> BlameRow:
    """Return blamed lines as an answer."""
    return {
        "start": one.start,
        "lines": one.lines,
        **commit(one),
    }


def wanted_row(space: str, name: str, sources: list[Source]) -> WantedRow:
    """Return a missing page as an answer."""
    return {**page_ref(space, name), "count": len(sources), "linkedFrom": source_rows(sources)}


def content(data: str) -> bytes:
    """Return what was sent in base64.

    :raises InvalidError: if it is none.
    """
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(f"Argument data: {error}.", detail={"argument": "data"}) from error
