"""Spaces as repositories: changes are commits, and the heads in MongoDB say which of them are seen."""

from __future__ import annotations

import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from gevent.lock import RLock
from pymongo.errors import DuplicateKeyError

from portalfw.errors import ConflictError, NotFoundError
from portalfw.history import objects
from portalfw.history.clone import Clone, Prepared
from portalfw.history.documents import PageConflict, SpaceHead
from portalfw.history.merging import Clash
from portalfw.history.objects import COMMIT, Stored, references
from portalfw.history.views import Author, Changes, Done, Store, View
from portalfw.offload import offload

log = logging.getLogger(__name__)

T = TypeVar("T")
Heard = Callable[[str, Sequence[str]], None]  # space and the files that changed
ATTEMPTS: Final = 20  # races that one change may lose


class GitStore(Store):
    """All spaces of the installation, as this process has them."""

    keeps_history = True

    def __init__(self, folder: Path, heard: Heard) -> None:
        """Keep clones below ``folder``; tell ``heard`` of every change once this process serves it."""
        self.folder = folder
        self._heard = heard
        self._clones: dict[str, Clone] = {}
        self._locks: defaultdict[str, RLock] = defaultdict(RLock)

    @property
    def spaces(self) -> list[str]:
        """The names of all spaces."""
        return sorted(self._clones)

    def clone(self, space: str) -> Clone:
        """Return this process's clone of a space.

        :raises NotFoundError: if there is no such space.
        """
        found = self._clones.get(space.lower())
        if found is None:
            raise NotFoundError(f"There is no space {space[:60]!r}.")
        return found

    def look(self, space: str, reader: Callable[[View], T], revision: str | None = None) -> T:
        """Return what ``reader`` finds in a space."""
        clone = self.clone(space)
        return offload(lambda: reader(clone.view(revision)))

    def change(self, space: str, author: Author, message: str, build: Callable[[View], Changes]) -> Done:
        """Make one commit of what ``build`` says; see :class:`Store`."""
        return self.commit(space, lambda clone, head: clone.prepare(head, author, message, build))

    def commit(self, space: str, prepare: Callable[[Clone, str], Prepared | None]) -> Done:
        """Move ``main`` to what ``prepare`` makes of it, again and again until no other change comes in between.

        :raises ConflictError: if others are always faster.
        """
        space = space.lower()
        with self._locks[space]:
            for _ in range(ATTEMPTS):
                clone = self.clone(space)
                head = self._head(space)
                made = offload(prepare, clone, head)
                if made is None:
                    return Done(head, ())
                if self._publish(space, head, made):
                    return Done(made.main, self._serve(space, made))
                self.fetch(space)
        raise ConflictError(f"The space {space} is being changed by others all the time; try again.")

    def fetch(self, space: str) -> None:
        """Serve what another process has published, or no more what it has deleted."""
        with self._locks[space]:
            row = SpaceHead.collection().find_one({"_id": space})
            if row is None or row.get("deleted"):
                self._drop(space, purged=row is None)
                return
            fresh = space not in self._clones
            clone = self._clones.get(space) or offload(Clone, self.folder / space)
            head = offload(lambda: clone.head)
            if head is None:
                for some in objects.load_all(space):
                    offload(clone.write, some)
            tips = [row["main"], *([row["shipped"]] if row.get("shipped") else [])]
            self._fetch_missing(clone, tips)
            self._clones[space] = clone
            if head != row["main"]:
                self._serve(space, Prepared(row["main"], shipped=row.get("shipped")))
            elif fresh:
                self._heard(space, offload(lambda: clone.view().paths()))

    def create(self, space: str, made: Callable[[Clone], Prepared]) -> None:
        """Publish a new space with its first commit.

        :raises ConflictError: if there is one of this name, also a deleted one.
        """
        with self._locks[space]:
            if self.is_deleted(space):
                raise ConflictError(f"There was a space {space}, which can be restored; purge it to use the name anew.")
            clone = self._clones.get(space) or offload(Clone, self.folder / space)
            first = offload(made, clone)
            objects.keep(space, first.objects)
            try:
                SpaceHead.collection().insert_one({"_id": space, "main": first.main, "shipped": first.shipped})
            except DuplicateKeyError as error:
                raise ConflictError(f"There is a space {space} already.") from error
            self._clones[space] = clone
            self._serve(space, first)

    @staticmethod
    def is_deleted(space: str) -> bool:
        """Tell whether there is a deleted space of this name."""
        return SpaceHead.collection().find_one({"_id": space, "deleted": {"$ne": None}}, {"_id": 1}) is not None

    def delete(self, space: str, title: str, by: str) -> None:
        """Serve a space no more, in any process; all that it holds stays for :meth:`restore`.

        :raises NotFoundError: if there is no such space.
        """
        space = space.lower()
        with self._locks[space]:
            self.clone(space)
            said = {"deleted": time.time(), "deleted_by": by, "title": title}
            SpaceHead.collection().update_one({"_id": space, "deleted": None}, {"$set": said})
            self._drop(space, purged=False)

    def restore(self, space: str) -> None:
        """Serve a deleted space again, as it was.

        :raises NotFoundError: if there is no such deleted space.
        """
        space = space.lower()
        unset = {"$unset": {"deleted": 1, "deleted_by": 1, "title": 1}}
        done = SpaceHead.collection().update_one({"_id": space, "deleted": {"$ne": None}}, unset)
        if not done.modified_count:
            raise _no_deleted(space)
        self.fetch(space)

    def purge(self, space: str) -> None:
        """Forget a deleted space for ever; objects that other spaces hold too stay with these.

        :raises NotFoundError: if there is no such deleted space.
        """
        space = space.lower()
        with self._locks[space]:
            if not SpaceHead.collection().delete_one({"_id": space, "deleted": {"$ne": None}}).deleted_count:
                raise _no_deleted(space)
            self._drop(space, purged=True)
        for row in SpaceHead.collection().find({}, {"main": 1, "shipped": 1, "deleted": 1}):
            held = self._held_by_deleted(row) if row.get("deleted") else self._held(row["_id"])
            objects.hand_over(space, row["_id"], held)
        objects.forget(space)

    def _held(self, space: str) -> Callable[[Collection[str]], Collection[str]]:
        """Return what tells which of some objects a space holds."""
        self.fetch(space)
        clone = self.clone(space)
        return lambda ids: set(ids) - set(offload(clone.missing, ids))

    @staticmethod
    def _held_by_deleted(row: Mapping[str, Any]) -> Callable[[Collection[str]], Collection[str]]:
        reached = objects.reachable([tip for tip in (row["main"], row.get("shipped")) if tip])
        return reached.intersection

    def _drop(self, space: str, *, purged: bool) -> None:
        clone = self._clones.get(space)
        if clone is not None:
            paths = offload(lambda: clone.view().paths())
            del self._clones[space]
            self._heard(space, paths)
        if purged:
            offload(shutil.rmtree, self.folder / space, ignore_errors=True)

    def repair(self, space: str) -> None:
        """Serve just what ``main`` holds, after this process, or its machine, may have ended in the middle of it."""
        with self._locks[space]:
            wrong = offload(self._clones[space].repair, self._head(space))
        if wrong:
            log.warning("Space %s: %d files were not as in main: %s", space, len(wrong), ", ".join(wrong[:5]))

    def pack(self, space: str) -> None:
        """Pack the objects of a space that lie loose, if they are many."""
        with self._locks[space]:
            packed = offload(self._clones[space].pack)
        if packed:
            log.info("Space %s: %d objects packed", space, packed)

    def _head(self, space: str) -> str:
        found = offload(lambda: self._clones[space].head)
        if found is None:
            raise NotFoundError(f"The space {space} has no pages yet.")
        return found

    def _publish(self, space: str, head: str, made: Prepared) -> bool:
        objects.keep(space, made.objects)
        update = {"main": made.main} | ({"shipped": made.shipped} if made.shipped else {})
        moved = SpaceHead.collection().update_one({"_id": space, "main": head, "deleted": None}, {"$set": update})
        if moved.modified_count:
            _note_clashes(space, made)
        return bool(moved.modified_count)

    def _serve(self, space: str, made: Prepared) -> list[str]:
        changed = offload(self._clones[space].advance, made)
        self._heard(space, changed)
        return changed

    def _fetch_missing(self, clone: Clone, tips: list[str]) -> None:
        """Fetch the objects that ``tips`` are made of; what names others is written after them."""
        found: dict[str, Stored] = {}
        wanted = offload(clone.missing, tips)
        while wanted:
            some = objects.load(wanted)
            found.update((one.id, one) for one in some)
            named = {name for one in some for name in references(one)} - found.keys()
            wanted = offload(clone.missing, named)
        commits = [one for one in found.values() if one.type == COMMIT]
        offload(clone.write, [one for one in found.values() if one.type != COMMIT] + commits[::-1])


def _no_deleted(space: str) -> NotFoundError:
    return NotFoundError(f"There is no deleted space {space[:60]!r}.")


def _note_clashes(space: str, made: Prepared) -> None:
    for clash in made.clashes:
        _note(space, clash, made.main, "shipped" if made.shipped else "remote")


def _note(space: str, clash: Clash, revision: str, source: str) -> None:
    PageConflict.collection().replace_one(
        {"_id": f"{space}/{clash.path}"},
        {
            "space": space,
            "path": clash.path,
            "source": source,
            "base": clash.base,
            "theirs": clash.theirs,
            "revision": revision,
            "date": time.time(),
        },
        upsert=True,
    )
