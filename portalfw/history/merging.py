"""Three-way merges of texts and trees, done by libgit2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import FileMode

from portalfw.history.views import MergedText

MINE, THEIRS = "yours", "theirs"  # as they stand behind the markers


@dataclass(frozen=True)
class Clash:
    """A file that both sides changed in the same place; None where a side has no such file."""

    path: str
    base: str | None  # ids of blobs
    ours: str | None
    theirs: str | None


@dataclass(frozen=True)
class MergedTree:
    """A tree, in which clashing files are as they were on our side."""

    id: str
    clashes: tuple[Clash, ...]


def merge_texts(repo: pygit2.Repository, base: str, mine: str, theirs: str) -> MergedText:
    """Merge two texts; where they clash both stand between markers ``<<<<<<< yours`` and ``>>>>>>> theirs``."""

    def entry(name: str, text: str) -> pygit2.IndexEntry:
        return pygit2.IndexEntry(name, repo.create_blob(text.encode()), FileMode.BLOB)

    found = repo.merge_file_from_index(entry("base", base), entry(MINE, mine), entry(THEIRS, theirs))
    return found.contents or "", found.automergeable


def merge_trees(repo: pygit2.Repository, ours: str, theirs: str) -> MergedTree:
    """Merge commit ``theirs`` into commit ``ours``; our side wins where they clash, and the clash is told."""
    index = repo.merge_commits(ours, theirs)
    clashes = tuple(_clashes(index))
    for clash in clashes:
        del index.conflicts[clash.path]
        if clash.ours is not None:
            index.add(pygit2.IndexEntry(clash.path, pygit2.Oid(hex=clash.ours), FileMode.BLOB))
    return MergedTree(str(index.write_tree(repo)), clashes)


def _clashes(index: pygit2.Index) -> Iterator[Clash]:
    for base, ours, theirs in list(index.conflicts or ()):
        path = next(entry.path for entry in (ours, theirs, base) if entry is not None)
        yield Clash(path, *(None if entry is None else str(entry.id) for entry in (base, ours, theirs)))
