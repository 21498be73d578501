"""What pages were: the revisions of one page, from the commits of its space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import pygit2
from pygit2.enums import DeltaStatus, SortMode

from portalfw.errors import UnavailableError
from portalfw.history.clone import GitView, files_of
from portalfw.history.names import is_page, name_of, pages_in
from portalfw.history.views import View
from portalfw.wiki.address import page_key

Action = Literal["created", "edited", "renamed", "deleted"]
RENAMED: Final = "\n\nRenamed-from: "  # what ends the message of a commit that renames a page; its text may change too
MOST: Final = 5000  # revisions of one page that are listed


@dataclass(frozen=True)
class Revision:
    """One commit that changed a page; ``path`` is where the page lay since then."""

    revision: str
    author: str
    date: float  # epoch seconds
    message: str
    action: Action
    path: str
    before: str | None  # where it lay before


def git_view(view: View) -> GitView:
    """Return the view of a repository.

    :raises UnavailableError: in development mode, where files have no history.
    """
    if not isinstance(view, GitView):
        raise UnavailableError(
            "In development mode pages are files of the content directories; what they were is not kept here."
        )
    return view


def revisions(view: GitView, path: str) -> Iterator[Revision]:
    """Yield the commits that changed a page, the latest first, under its earlier names too."""
    for commit in view.repo.walk(view.commit.id, SortMode.TOPOLOGICAL | SortMode.TIME):
        here, olds = _id(commit, path), [_id(parent, path) for parent in commit.parents]
        if here in olds or (here is None and not any(olds)):
            continue
        if here is None:
            yield _revision(commit, "deleted", path, path)
        elif any(olds):
            yield _revision(commit, "edited", path, path)
        else:
            before = _renamed_from(commit, path)
            yield _revision(commit, "renamed" if before else "created", path, before)
            path = before or path


def path_then(view: GitView, then: GitView, path: str) -> str | None:
    """Return where the page that lies at ``path`` now lay at an earlier revision."""
    names = [path, *(one.before for one in revisions(view, path) if one.action == "renamed" and one.before)]
    return next((name for name in names if then.read(name) is not None), None)


def last_path(view: GitView, name: str) -> tuple[str, str] | None:
    """Return where a deleted page lay, and the last revision that had it."""
    key = page_key(name)
    for commit in view.repo.walk(view.commit.id, SortMode.TOPOLOGICAL | SortMode.TIME):
        for parent in commit.parents[:1]:
            for delta in parent.tree.diff_to_tree(commit.tree).deltas:
                path = delta.old_file.path
                if delta.status == DeltaStatus.DELETED and is_page(path) and page_key(name_of(path)) == key:
                    return path, str(parent.id)
    return None


def told_rename(commit: pygit2.Commit) -> str | None:
    """Return the name that a page had before a commit that renamed it says so."""
    found = commit.message.rpartition(RENAMED)
    return found[2].strip() if found[1] else None


def message_of(commit: pygit2.Commit) -> str:
    """Return what the author said."""
    return commit.message.partition(RENAMED)[0].strip()


def _id(commit: pygit2.Commit, path: str) -> str | None:
    try:
        return str(commit.tree[path].id)
    except KeyError:
        return None


def _renamed_from(commit: pygit2.Commit, path: str) -> str | None:
    told = told_rename(commit)
    for parent in commit.parents[:1]:
        if told is not None:
            return pages_in(files_of(parent.tree)).get(page_key(told))
        diff = parent.tree.diff_to_tree(commit.tree)
        diff.find_similar()
        for delta in diff.deltas:
            if delta.status == DeltaStatus.RENAMED and delta.new_file.path == path:
                return delta.old_file.path
    return None


def _revision(commit: pygit2.Commit, action: Action, path: str, before: str | None) -> Revision:
    return Revision(
        str(commit.id), commit.author.name, float(commit.author.time), message_of(commit), action, path, before
    )
