"""Who edits a page now: told to others, hindering nobody, and gone 90 seconds after the editor was last heard of."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any, Final, TypedDict

from pymongo.errors import DuplicateKeyError

from portalfw.auth.principal import Principal
from portalfw.history.documents import PageLock
from portalfw.history.pages import Pages
from portalfw.wiki.address import page_id

SECONDS: Final = 90.0


class Lock(TypedDict):
    """Who edits a page, since when, and until when unless renewed; ``mine`` if that is the caller.

    ``brokenBy`` names who took the lock from the caller.
    """

    space: str
    page: str
    user: str
    since: float
    expires: float
    mine: bool
    brokenBy: str | None


class Locks:
    """Advisory locks on pages."""

    def __init__(self, pages: Pages) -> None:
        """Decide by the rights of ``pages``."""
        self._pages = pages

    def take(self, principal: Principal, space: str, name: str, *, force: bool = False) -> Lock:
        """Take or renew the lock if it is free, or anyway with ``force``; return who has it then."""
        self._pages.check_now(principal, space, name, "W")
        identity, now = page_id(space, name), dt.datetime.now(dt.UTC)
        expires = now + dt.timedelta(seconds=SECONDS)
        collection = PageLock.collection()
        renewed = collection.find_one_and_update(
            {"_id": identity, "user": principal.name, "expires": {"$gt": now}},
            {"$set": {"expires": expires}, "$pull": {"broken": {"user": principal.name}}},
        )
        if renewed is None:
            free = {"_id": identity} | ({} if force else {"expires": {"$lte": now}})
            self._replace(identity, free, {**_new(space, name, principal), "expires": expires}, principal)
        row = collection.find_one({"_id": identity}) or {**_new(space, name, principal), "expires": expires}
        return _lock(row, principal)

    def release(self, principal: Principal, space: str, name: str) -> bool:
        """Give one's lock back; tell whether one had it."""
        done = PageLock.collection().delete_one({"_id": page_id(space, name), "user": principal.name})
        return bool(done.deleted_count)

    def of(self, principal: Principal, space: str, name: str) -> Lock | None:
        """Return who edits a page; None if nobody does."""
        row = PageLock.collection().find_one({"_id": page_id(space, name)})
        return None if row is None or _expiry(row) <= time.time() else _lock(row, principal)

    def all(self, principal: Principal) -> list[Lock]:
        """Return all locks that there are now."""
        rows = PageLock.collection().find({"expires": {"$gt": dt.datetime.now(dt.UTC)}}).sort("since", 1)
        return [_lock(row, principal) for row in rows]

    def _replace(self, identity: str, free: dict[str, Any], row: dict[str, Any], principal: Principal) -> None:
        """Put the caller's lock where there is none, or none that hinders; who loses it is remembered."""
        before = PageLock.collection().find_one({"_id": identity})
        losing = before is not None and _expiry(before) > time.time() and before["user"] != principal.name
        broken = [{"user": before["user"], "by": principal.name}] if before is not None and losing else []
        try:
            PageLock.collection().replace_one(free, {**row, "broken": broken}, upsert=True)
        except DuplicateKeyError:
            return  # somebody else has it


def _new(space: str, name: str, principal: Principal) -> dict[str, Any]:
    return {"space": space.lower(), "page": name, "user": principal.name, "since": time.time()}


def _expiry(row: dict[str, Any]) -> float:
    found: dt.datetime = row["expires"]
    return found.replace(tzinfo=dt.UTC).timestamp()


def _lock(row: dict[str, Any], principal: Principal) -> Lock:
    by = next((one["by"] for one in row.get("broken", []) if one["user"] == principal.name), None)
    return {
        "space": row["space"],
        "page": row["page"],
        "user": row["user"],
        "since": row["since"],
        "expires": row["expires"].replace(tzinfo=dt.UTC).timestamp(),
        "mine": row["user"] == principal.name,
        "brokenBy": by,
    }
