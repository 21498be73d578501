"""What changed lately, in all spaces."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pygit2
from pygit2.enums import DeltaStatus, SortMode

from portalfw.auth.principal import Principal
from portalfw.history.access import has
from portalfw.history.clone import GitView
from portalfw.history.history import History
from portalfw.history.names import NAV, is_page, name_of
from portalfw.history.past import Action, message_of, told_rename
from portalfw.history.views import View

KEPT: Final = 2000  # changes of each space
ACTIONS: Final[dict[DeltaStatus, Action]] = {
    DeltaStatus.ADDED: "created",
    DeltaStatus.DELETED: "deleted",
    DeltaStatus.RENAMED: "renamed",
}


@dataclass(frozen=True)
class Recent:
    """One page changed by one commit."""

    space: str
    name: str
    path: str
    action: Action
    revision: str
    before: str  # the revision before, to compare with
    author: str
    date: float
    message: str


class RecentChanges:
    """The latest changes of each space, extended by what was committed since they were last asked for."""

    def __init__(self, history: History) -> None:
        """Begin empty."""
        self._history = history
        self._kept: dict[str, tuple[str, deque[Recent]]] = {}

    def all(self, principal: Principal, space: str | None = None) -> list[Recent]:
        """Return the changes of pages that ``principal`` may read, the latest first."""
        git = self._history.git
        wanted = ([space.lower()] if space else git.spaces) if git else []
        found: list[Recent] = []
        for one in wanted:
            found += self._history.store.look(one, lambda view, one=one: self._of(one, view, principal))  # type: ignore[misc]  # a default binds it
        return sorted(found, key=lambda row: row.date, reverse=True)

    def _of(self, space: str, view: View, principal: Principal) -> list[Recent]:
        """Return the changes of one space; called in a thread."""
        if not isinstance(view, GitView):
            return []
        head, rows = self._kept.get(space, ("", deque[Recent](maxlen=KEPT)))
        if head and head not in view.repo:  # the space was purged, and is another one now
            head, rows = "", deque[Recent](maxlen=KEPT)
        if head != view.revision:
            for row in reversed(list(_since(space, view, head))):
                rows.appendleft(row)
            self._kept[space] = (view.revision, rows)
        seen: dict[str, bool] = {}
        return [row for row in rows if _visible(view, row, principal, seen)]


def _visible(view: GitView, row: Recent, principal: Principal, seen: dict[str, bool]) -> bool:
    """Tell whether a page may be read as it is now, or as it was before this if it is no more."""
    key = f"{row.path} {row.revision if view.read(row.path) is None else ''}"
    if key not in seen:
        last = row.before if row.action == "deleted" else row.revision
        then = view if view.read(row.path) is not None else GitView(view.repo, last)
        seen[key] = has(principal, view, row.path, "R") and has(principal, then, row.path, "R")
    return seen[key]


def _since(space: str, view: GitView, head: str) -> Iterator[Recent]:
    """Yield the changes after ``head``, the latest first."""
    walker = view.repo.walk(view.commit.id, SortMode.TOPOLOGICAL | SortMode.TIME)
    if head:
        walker.hide(head)
    count = 0
    for commit in walker:
        if len(commit.parents) != 1:
            continue  # the first import; and what a merge brought is told by the commits that it merged
        for row in _rows(space, commit):
            yield row
            count += 1
        if count >= KEPT:
            return


def _rows(space: str, commit: pygit2.Commit) -> Iterable[Recent]:
    parent = commit.parents[0]
    diff = parent.tree.diff_to_tree(commit.tree)
    diff.find_similar()
    told = told_rename(commit)
    for delta in diff.deltas:
        gone = delta.status == DeltaStatus.DELETED
        path = delta.old_file.path if gone else delta.new_file.path
        action = ACTIONS.get(delta.status, "edited")
        if told is not None and action == "created":
            action = "renamed"
        if is_page(path) and name_of(path) != NAV and not (gone and name_of(path) == told):
            yield Recent(
                space,
                name_of(path),
                path,
                action,
                str(commit.id),
                str(parent.id),
                commit.author.name,
                float(commit.author.time),
                message_of(commit),
            )
