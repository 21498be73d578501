"""Whole spaces: what there are, their conflicts, their remotes, export and import, under the rights of whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portalfw.history import remotes, zips
from portalfw.history.access import check, has
from portalfw.history.clone import SHIPPED, Clone, GitView, Prepared, branch, changed_tree, make_commit, new_objects
from portalfw.history.documents import PageConflict, PageDraft, PageLock, SpaceHead
from portalfw.history.gitstore import GitStore
from portalfw.history.names import CONFIG, name_of, pages_in, space_name
from portalfw.history.pages import author_of, subject
from portalfw.history.past import git_view
from portalfw.history.remotes import RemoteStatus
from portalfw.history.views import Changes, Done, View, text_of
from portalfw.offload import offload
from portalfw.wiki.space import read_config


@dataclass(frozen=True)
class SpaceInfo:
    """A space as lists show it; ``remote`` without its password, for those who administer the space."""

    name: str
    title: str
    pages: int
    conflicts: int
    revision: str
    remote: str | None


@dataclass(frozen=True)
class Conflict:
    """A page whose two sides wait for somebody to merge them; saving the page ends it."""

    space: str
    page: str
    source: str
    date: float


@dataclass(frozen=True)
class Deleted:
    """A deleted space that can be restored."""

    name: str
    title: str
    date: float
    by: str


@dataclass(frozen=True)
class Sides:
    """The texts of a conflict; None where a side has no such page."""

    base: str | None
    mine: str | None
    theirs: str | None
    merge: str


class Spaces:
    """The spaces of the installation."""

    def __init__(self, store: GitStore, remote_of: Mapping[str, str], start: str = "") -> None:
        """Work on ``store``; ``remote_of`` are the remotes that the settings name, ``start`` is where people do."""
        self._start = start.lower()
        self._store = store
        self._remote_of = remote_of

    def all(self, principal: Principal) -> list[SpaceInfo]:
        """Return the spaces that the principal may read."""
        found = [self._store.look(space, partial(self._info, principal, space)) for space in self._store.spaces]
        return [
            SpaceInfo(one.name, one.title, one.pages, len(_conflicts(one.name)), one.revision, self._shown_remote(one))
            for one in found
            if one is not None
        ]

    def conflicts(self, principal: Principal, space: str) -> list[Conflict]:
        """Return the conflicts of the pages that the principal may read."""
        rows = _conflicts(space.lower())

        def look(view: View) -> list[Conflict]:
            check(principal, view, None, "R", f"the space {space}")
            kept = [row for row in rows if has(principal, view, row["path"], "R")]
            return [Conflict(row["space"], name_of(row["path"]), row["source"], row["date"]) for row in kept]

        return self._store.look(space, look)

    def sides(self, principal: Principal, space: str, page: str) -> Sides:
        """Return the texts of a conflict.

        :raises NotFoundError: if there is none on the page.
        """
        row = next((row for row in _conflicts(space.lower()) if name_of(row["path"]) == page), None)
        if row is None:
            raise NotFoundError(f"There is no conflict on the page {page!r} of {space}.")

        def look(given: View) -> Sides:
            view = git_view(given)
            check(principal, view, row["path"], "R", f"the page {page}")
            check(principal, view, row["path"], "W", f"the page {page}")
            base, theirs = (
                None if row[side] is None else view.repo[row[side]].read_raw().decode("utf-8", "replace")
                for side in ("base", "theirs")
            )
            mine = text_of(view, row["path"])
            return Sides(base, mine, theirs, view.merge(base or "", mine or "", theirs or "")[0])

        return self._store.look(space, look)

    def settle(self, principal: Principal, space: str, page: str) -> None:
        """End a conflict by leaving the page as it is."""
        self.sides(principal, space, page)
        for row in _conflicts(space.lower()):
            if name_of(row["path"]) == page:
                PageConflict.collection().delete_one({"_id": row["_id"]})

    def set_remote(self, principal: Principal, space: str, url: str) -> None:
        """Name the remote of a space; an empty address takes it away."""
        self._administer(principal, space)
        kept = remotes.checked(url) if url else None
        SpaceHead.collection().update_one({"_id": space.lower()}, {"$set": {"remote": kept}})

    def status(self, principal: Principal, space: str) -> RemoteStatus:
        """Ask the remote how it stands to the space."""
        self._administer(principal, space)
        return offload(remotes.status, self._store.clone(space), self._remote(space))

    def pull(self, principal: Principal, space: str) -> Done:
        """Merge what the remote has; conflicting pages stay as they are here, and are listed as conflicts."""
        self._administer(principal, space)
        url, author = self._remote(space), author_of(principal)
        return self._store.commit(space, lambda clone, head: remotes.pulled(clone, head, url, author))

    def push(self, principal: Principal, space: str) -> None:
        """Push to the remote.

        :raises ConflictError: if it has what is not here, or a conflict with it waits to be settled.
        """
        self._administer(principal, space)
        waiting = [name_of(row["path"]) for row in _conflicts(space.lower()) if row["source"] == "remote"]
        if waiting:
            raise ConflictError(f"Conflicts with the remote wait to be settled first: {', '.join(waiting[:10])}.")
        offload(remotes.push, self._store.clone(space), self._remote(space))

    def export(self, principal: Principal, space: str) -> bytes:
        """Return all files of a space as a zip file; as it holds closed pages too, this needs A."""
        self._administer(principal, space)
        return self._store.look(space, zips.packed)

    def import_(self, principal: Principal, space: str, data: bytes, message: str = "") -> Done:
        """Take all files of a zip file in one commit; other files stay. Administrators make a new space of them."""
        files = offload(zips.unpacked, data)
        words = subject(message, f"Import {len(files)} files")
        if space.lower() in self._store.spaces:

            def build(view: View) -> Changes:
                check(principal, view, None, "A", f"the space {space}")
                there = pages_in(view.paths())
                return {there.get(key, path): files[path] for path, key in _keyed(files)}

            return self._store.change(space, author_of(principal), words, build)
        if not principal.is_admin:
            raise ForbiddenError(f"There is no space {space[:60]!r}; an administrator can make it.")
        if CONFIG not in files:
            raise InvalidError(f"A new space needs a {CONFIG} in the zip file.", detail={"argument": "data"})
        name = space_name(space)
        self._store.create(name, lambda clone: _first(clone, principal, words, files))
        return Done(self._store.clone(name).head or "", list(files))

    def delete(self, principal: Principal, space: str) -> None:
        """Serve a space no more; its pages, history, drafts and conflicts stay until it is purged.

        :raises ConflictError: if the product needs it, saying why.
        """
        self._administer(principal, space)
        needed = self.needed(space)
        if needed:
            raise ConflictError(f"The space {space} cannot be deleted: {needed}")
        title = self._store.look(space, lambda view: _title(space, view))
        self._store.delete(space, title, principal.name)
        PageLock.collection().delete_many({"space": space.lower()})

    def needed(self, space: str) -> str:
        """Return why a space cannot be deleted; nothing if it can. What is shipped says so, whatever is edited."""
        if space.lower() == self._start:
            return "people start here (setting default_space)."
        return self._store.look(space, lambda view: _needed(space, view))

    def deleted(self, principal: Principal) -> list[Deleted]:
        """Return the spaces that the principal may restore: all for administrators, else those one has deleted."""
        query: dict[str, Any] = {"deleted": {"$ne": None}}
        if not principal.is_admin:
            query["deleted_by"] = principal.name
        rows = SpaceHead.rows(query, fields=["title", "deleted", "deleted_by"], sort="-deleted")
        return [Deleted(row["id"], row["title"], row["deleted"], row["deleted_by"]) for row in rows]

    def restore(self, principal: Principal, space: str) -> None:
        """Serve a deleted space again, as it was.

        :raises NotFoundError: if there is none that the principal may restore.
        """
        self._restorable(principal, space)
        self._store.restore(space)

    def purge(self, principal: Principal, space: str) -> None:
        """Forget a deleted space for ever, with its history, drafts and conflicts; for administrators.

        :raises NotFoundError: if there is no such deleted space.
        """
        self._restorable(principal, space)
        if not principal.is_admin:
            raise ForbiddenError(
                f"{principal.name} may restore {space}, but not purge it; this needs an administrator."
            )
        self._store.purge(space)
        for collection in (PageConflict.collection(), PageDraft.collection()):
            collection.delete_many({"space": space.lower()})

    def _restorable(self, principal: Principal, space: str) -> None:
        if space.lower() not in {one.name for one in self.deleted(principal)}:
            raise NotFoundError(f"There is no deleted space {space[:60]!r} that {principal.name} may restore.")

    def _administer(self, principal: Principal, space: str) -> None:
        self._store.look(space, lambda view: check(principal, view, None, "A", f"the space {space}"))

    def _info(self, principal: Principal, space: str, view: View) -> SpaceInfo | None:
        if not has(principal, view, None, "R"):
            return None
        title = _title(space, view)
        remote = "A" if has(principal, view, None, "A") else None
        return SpaceInfo(space, title, len(pages_in(view.paths())), 0, view.revision_of(""), remote)

    def _shown_remote(self, one: SpaceInfo) -> str | None:
        url = self._url(one.name) if one.remote else None
        return remotes.masked(url) if url else None

    def _url(self, space: str) -> str | None:
        row = SpaceHead.collection().find_one({"_id": space.lower()}) or {}
        return self._remote_of.get(space.lower()) or row.get("remote")

    def _remote(self, space: str) -> str:
        url = self._url(space)
        if not url:
            raise NotFoundError(
                f"The space {space} has no remote; name one with setRemote or the setting space_remotes."
            )
        return url


def _title(space: str, view: View) -> str:
    try:
        return read_config(space, text_of(view, CONFIG) or "", CONFIG).title
    except InvalidError:
        return space


def _needed(space: str, given: View) -> str:
    view = git_view(given)
    shipped = branch(view.repo, SHIPPED)
    if shipped is None:
        return ""
    return read_config(space, text_of(GitView(view.repo, shipped), CONFIG) or "", CONFIG).needed


def _conflicts(space: str) -> list[dict[str, Any]]:
    return list(PageConflict.collection().find({"space": space}).sort("path", 1))


def _keyed(files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    keys = {path: key for key, path in pages_in(files).items()}
    return [(path, keys.get(path, "")) for path in files]


def _first(clone: Clone, principal: Principal, message: str, files: Mapping[str, bytes]) -> Prepared:
    repo = clone.open()
    made = make_commit(repo, author_of(principal), message, changed_tree(repo, None, files), [])
    return Prepared(made, list(new_objects(repo, [made], [])))
