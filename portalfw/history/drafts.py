"""Texts that people have not saved yet, one for each user and page, kept for 30 days."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict

from pymongo import WriteConcern
from pymongo.collection import Collection

from portalfw.auth.principal import Principal
from portalfw.history.documents import PageDraft
from portalfw.history.names import page_name
from portalfw.history.pages import Pages, clean, file_of
from portalfw.history.views import View
from portalfw.wiki.address import page_id


class Draft(TypedDict):
    """A draft."""

    space: str
    page: str
    text: str
    base: str
    date: float


def _collection() -> Collection[dict[str, Any]]:
    """Return the drafts; typing goes on while they are written, and the last few seconds may be lost in a crash."""
    return PageDraft.collection().with_options(write_concern=WriteConcern(w=1))


class Drafts:
    """Drafts of those who may edit the page, or make one of that name."""

    def __init__(self, pages: Pages) -> None:
        """Decide by the rights of ``pages``."""
        self._pages = pages

    def save(self, principal: Principal, space: str, name: str, text: str, base: str) -> float:
        """Keep a text; return when (epoch seconds)."""
        kept = self._named(space, name)
        self._pages.check_now(principal, space, name, "W")
        now = dt.datetime.now(dt.UTC)
        row = {"user": principal.name, "space": space.lower(), "page": kept, "text": clean(text), "base": base}
        _collection().replace_one({"_id": _id(principal, space, kept)}, {**row, "date": now}, upsert=True)
        return now.timestamp()

    def get(self, principal: Principal, space: str, name: str) -> Draft | None:
        """Return one's draft of a page that one may still read; None without one."""
        self._pages.check_now(principal, space, name)
        row = _collection().find_one({"_id": _id(principal, space, name)})
        return None if row is None else _draft(row)

    def all(self, principal: Principal) -> list[Draft]:
        """Return one's drafts, the latest first; those of a deleted space come back with it."""
        query = {"user": principal.name, "space": {"$in": list(self._pages.store.spaces)}}
        return [_draft(row) for row in _collection().find(query).sort("date", -1)]

    def discard(self, principal: Principal, space: str, name: str) -> bool:
        """Forget a draft; tell whether there was one."""
        return bool(_collection().delete_one({"_id": _id(principal, space, name)}).deleted_count)

    def _named(self, space: str, name: str) -> str:
        """Return the name of a page that there is or may be.

        :raises NotFoundError: if there is no such space.
        """

        def look(view: View) -> bool:
            return file_of(view, name) is not None

        return name if self._pages.store.look(space, look) else page_name(name)


def _id(principal: Principal, space: str, name: str) -> str:
    return f"{principal.name}/{page_id(space, name)}"


def _draft(row: dict[str, Any]) -> Draft:
    when = row["date"].replace(tzinfo=dt.UTC).timestamp()
    return {"space": row["space"], "page": row["page"], "text": row["text"], "base": row["base"], "date": when}
