"""Repositories whose objects lie loose by the thousand are packed, and lose nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pygit2

from portalfw.history.clone import MAIN, Clone
from portalfw.history.packing import pack
from portalfw.history.views import Author


def commits(clone: Clone, count: int) -> str:
    """Edit a page over and over; return the last commit."""
    repo, parents = clone.open(), [head] if (head := clone.head) else []
    for _ in range(count):
        index = pygit2.Index()
        text = f"text after {parents}"
        index.add(pygit2.IndexEntry("Home.md", repo.create_blob(text.encode()), pygit2.enums.FileMode.BLOB))
        author = pygit2.Signature(Author("eve").name, "eve@portal")
        parents = [str(repo.create_commit(MAIN, author, author, "Edit", index.write_tree(repo), parents))]
    return parents[0]


def git(clone: Clone, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", clone.folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_packed_objects_are_all_there(tmp_path: Path) -> None:
    """What was loose is in a pack: git finds nothing wrong, and who had the repository open still reads all of it."""
    clone = Clone(tmp_path / "space")
    head = commits(clone, 10)
    reader = clone.open()
    first = list(reader.walk(head))[-1]
    assert pack(clone.open(), clone.folder, many=30) == 30
    assert "count: 0\n" in git(clone, "count-objects", "-v")
    git(clone, "fsck", "--strict", "--full")
    assert [one.tree["Home.md"].data for one in reader.walk(head)] == [
        one.tree["Home.md"].data for one in clone.open().walk(head)
    ]
    assert reader[first.id].tree["Home.md"].data == b"text after []"
    later = commits(clone, 10)  # what comes later goes into a pack of its own
    assert pack(clone.open(), clone.folder, many=30) == 30
    git(clone, "fsck", "--strict", "--full")
    assert len(list(clone.open().walk(later))) == 20


def test_few_loose_objects_stay(tmp_path: Path) -> None:
    """A repository with few loose objects is left alone."""
    clone = Clone(tmp_path / "space")
    commits(clone, 3)
    assert pack(clone.open(), clone.folder, many=30) == 0
    assert "count: 9\n" in git(clone, "count-objects", "-v")
