"""This process's clone of one space's repository. It runs in threads and opens the repository each time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, SortMode

from portalfw.errors import NotFoundError
from portalfw.history import worktree
from portalfw.history.merging import Clash, merge_texts
from portalfw.history.objects import Stored
from portalfw.history.packing import pack
from portalfw.history.views import Author, Changes, MergedText, View

MAIN, SHIPPED = "refs/heads/main", "refs/heads/shipped"
INCOMPLETE = "incomplete"  # a file in .git while a clone is being filled
PLAIN = {FileMode.BLOB, FileMode.BLOB_EXECUTABLE}

pygit2.settings.owner_validation = False  # the state folder is ours, whoever unpacked or mounted it


class GitView(View):
    """The files of one commit."""

    def __init__(self, repo: pygit2.Repository, revision: str) -> None:
        """Look at commit ``revision``.

        :raises NotFoundError: if there is no such commit.
        """
        self.repo = repo
        self.revision = revision
        self.commit = commit_of(repo, revision)
        self._paths: Sequence[str] | None = None  # no cached_property: its lock is gevent's, and this is a thread

    def read(self, path: str) -> bytes | None:
        """Return a file's content."""
        return blob_at(self.commit, path)

    def paths(self) -> Sequence[str]:
        """Return the paths of all files."""
        if self._paths is None:
            self._paths = list(files_of(self.commit.tree))
        return self._paths

    def stamps(self) -> Mapping[str, str]:
        """Return the ids of all blobs by path."""
        return files_of(self.commit.tree)

    def revision_of(self, path: str) -> str:  # noqa: ARG002 - in a repository all files are of one revision
        """Return the commit."""
        return str(self.commit.id)

    def earlier(self, revision: str, path: str) -> bytes | None:
        """Return a file at another commit."""
        try:
            return blob_at(commit_of(self.repo, revision), path)
        except NotFoundError:
            return None

    def merge(self, base: str, mine: str, theirs: str) -> MergedText:
        """Merge two texts."""
        return merge_texts(self.repo, base, mine, theirs)


@dataclass(frozen=True)
class Prepared:
    """A commit that lies in the clone and that no branch names yet."""

    main: str
    objects: Sequence[Stored] = ()
    shipped: str | None = None  # where that branch moves at the same time
    clashes: Sequence[Clash] = ()
    times: Mapping[str, float] = field(default_factory=dict)  # of the files, where they are known (epoch seconds)


class Clone:
    """A repository with a working tree, which always shows ``main``."""

    def __init__(self, folder: Path) -> None:
        """Make the repository if there is none, and put away what a killed process left behind."""
        self.folder = folder
        if (folder / ".git" / INCOMPLETE).exists() or not (folder / ".git" / "HEAD").exists():
            shutil.rmtree(folder, ignore_errors=True)
            pygit2.init_repository(str(folder), initial_head="main")
            (folder / ".git" / INCOMPLETE).touch()
            repo = self.open()
            repo.config["core.symlinks"] = False
        for lock in (folder / ".git").rglob("*.lock"):
            lock.unlink()

    def open(self) -> pygit2.Repository:
        """Return the repository, for one thread."""
        return pygit2.Repository(str(self.folder))

    @property
    def head(self) -> str | None:
        """The commit of ``main``."""
        return branch(self.open(), MAIN)

    def view(self, revision: str | None = None) -> GitView:
        """Look at a commit, or at ``main``.

        :raises NotFoundError: if there is none.
        """
        repo = self.open()
        found = revision or branch(repo, MAIN)
        if found is None:
            raise NotFoundError(f"The space {self.folder.name} has no pages yet.")
        return GitView(repo, found)

    def prepare(self, head: str, author: Author, message: str, build: Callable[[View], Changes]) -> Prepared | None:
        """Make a commit on ``head``; None if it would change nothing."""
        repo = self.open()
        view = GitView(repo, head)
        tree = changed_tree(repo, view.commit.tree, build(view))
        if tree == str(view.commit.tree.id):
            return None
        made = make_commit(repo, author, message, tree, [head])
        return Prepared(made, list(new_objects(repo, [made], [head])))

    def advance(self, made: Prepared) -> list[str]:
        """Let the branches name a commit, and the working tree show it; return the files that changed."""
        repo = self.open()
        before = branch(repo, MAIN)
        changed = worktree.show(repo, self.folder, before, made.main, made.times)
        if made.shipped is not None:
            repo.references.create(SHIPPED, made.shipped, force=True)
        repo.references.create(MAIN, made.main, force=True)
        (self.folder / ".git" / INCOMPLETE).unlink(missing_ok=True)
        return changed

    def repair(self, head: str) -> list[str]:
        """Make the working tree show ``head``, whatever is there now; return the files that were wrong."""
        return worktree.repair(self.open(), self.folder, head)

    def pack(self) -> int:
        """Pack what lies loose if it is much; nobody may write meanwhile. Return how many objects went."""
        return pack(self.open(), self.folder)

    def missing(self, ids: Collection[str]) -> list[str]:
        """Return those of the objects that the clone has not."""
        odb = self.open().odb
        return [one for one in ids if not odb.exists(one)]

    def write(self, objects: Iterable[Stored]) -> None:
        """Take objects that another process made."""
        odb = self.open().odb
        for one in objects:
            odb.write(one.type, one.data)


def branch(repo: pygit2.Repository, name: str) -> str | None:
    """Return the commit that a branch names."""
    found = repo.references.get(name)
    return None if found is None else str(found.target)


def commit_of(repo: pygit2.Repository, revision: str) -> pygit2.Commit:
    """Return a commit by its full id.

    :raises NotFoundError: if there is none.
    """
    try:
        found = repo.get(revision)
    except ValueError:
        found = None
    if not isinstance(found, pygit2.Commit):
        raise NotFoundError(f"There is no revision {revision[:60]!r} of this space.")
    return found


def blob_at(commit: pygit2.Commit, path: str) -> bytes | None:
    """Return the content of a file at a commit."""
    try:
        found = commit.tree[path]
    except (KeyError, ValueError):
        return None
    return found.data if isinstance(found, pygit2.Blob) and found.filemode in PLAIN else None


def changed_tree(repo: pygit2.Repository, tree: pygit2.Tree | None, changes: Changes) -> str:
    """Return the id of ``tree`` with some files changed."""
    index = pygit2.Index()
    if tree is not None:
        index.read_tree(tree)
    for path, data in changes.items():
        if data is None:
            index.remove(path)
        else:
            index.add(pygit2.IndexEntry(path, repo.create_blob(data), FileMode.BLOB))
    return str(index.write_tree(repo))


def make_commit(repo: pygit2.Repository, author: Author, message: str, tree: str, parents: list[str]) -> str:
    """Make a commit that no branch names yet."""
    name = "".join(mark for mark in author.name if mark not in "<>\n\r\0").strip() or "unknown"
    email = "".join(mark for mark in author.email if mark not in "<>\n\r\0 ") or f"{name.replace(' ', '.')}@portal"
    signature = pygit2.Signature(name, email, int(time.time()), 0)
    return str(repo.create_commit(None, signature, signature, message, tree, parents))


def new_objects(repo: pygit2.Repository, tips: Sequence[str], known: Sequence[str]) -> Iterator[Stored]:
    """Yield what is reached from the commits ``tips`` and not from ``known``; parts before what is made of them."""
    walker = repo.walk(None, SortMode.TOPOLOGICAL | SortMode.REVERSE)
    for tip in tips:
        walker.push(tip)
    for one in known:
        walker.hide(one)
    seen: set[str] = set()
    for commit in walker:
        yield from _new_in_tree(repo, commit.tree, [parent.tree for parent in commit.parents], seen)
        yield _stored(repo, str(commit.id))


def _new_in_tree(
    repo: pygit2.Repository, tree: pygit2.Tree, before: Sequence[pygit2.Tree], seen: set[str]
) -> Iterator[Stored]:
    identity = str(tree.id)
    if identity in seen or any(other.id == tree.id for other in before):
        return
    seen.add(identity)
    for entry in tree:
        name = str(entry.name)
        olds = [other[name] for other in before if name in other]
        if isinstance(entry, pygit2.Tree):
            yield from _new_in_tree(repo, entry, [old for old in olds if isinstance(old, pygit2.Tree)], seen)
        elif str(entry.id) not in seen and all(old.id != entry.id for old in olds):
            seen.add(str(entry.id))
            yield _stored(repo, str(entry.id))
    yield _stored(repo, identity)


def _stored(repo: pygit2.Repository, identity: str) -> Stored:
    kind, data = repo.odb.read(identity)
    return Stored(identity, int(kind), data)


def files_of(tree: pygit2.Tree) -> dict[str, str]:
    """Return the ids of all files of a tree by path."""
    index = pygit2.Index()
    index.read_tree(tree)
    return {entry.path: str(entry.id) for entry in index}
