"""A space's remote repository: where it is, what it has, pull and push. All but the check runs in threads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pygit2
from pygit2.enums import CredentialType

from portalfw.errors import ConflictError, InvalidError, UnavailableError
from portalfw.history.clone import MAIN, PLAIN, Clone, Prepared, commit_of, make_commit, new_objects
from portalfw.history.merging import merge_trees
from portalfw.history.names import CONFIG
from portalfw.history.objects import LARGEST, Stored
from portalfw.history.views import Author

FETCHED: Final = "refs/remotes/origin/main"
ALLOWED: Final = re.compile(r"(https|ssh)://[^\s/]+/\S+|[\w.-]+@[\w.-]+:\S+")
PASSWORD: Final = re.compile(r"(?<=://)[^/@\s]+@")

pygit2.settings.server_connect_timeout = 10_000  # milliseconds
pygit2.settings.server_timeout = 60_000


@dataclass(frozen=True)
class RemoteStatus:
    """How ``main`` and the remote's ``main`` stand to each other, in commits."""

    head: str
    remote: str | None
    ahead: int
    behind: int


class _Callbacks(pygit2.RemoteCallbacks):
    def __init__(self) -> None:
        super().__init__()
        self.refused = ""

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: CredentialType
    ) -> pygit2.KeypairFromAgent:
        if allowed_types & CredentialType.SSH_KEY:
            return pygit2.KeypairFromAgent(username_from_url or "git")
        raise pygit2.GitError(f"{masked(url)} wants a name and password; put them into the remote's address")

    def push_update_reference(self, refname: str, message: str | None) -> None:  # noqa: ARG002 - the signature is pygit2's
        self.refused = message or ""


def checked(url: str) -> str:
    """Return the address of a remote that people may set: by https or ssh, never a folder of this machine.

    :raises InvalidError: if it is another.
    """
    if not ALLOWED.fullmatch(url):
        raise InvalidError(
            "A remote is https://…, ssh://… or user@host:path; other ones can be named by the setting space_remotes.",
            detail={"argument": "url"},
        )
    return url


def masked(url: str) -> str:
    """Return an address without its password."""
    return PASSWORD.sub("***@", url)


def fetch(clone: Clone, url: str) -> str | None:
    """Fetch the remote's ``main``; return its commit, None if it has none.

    :raises UnavailableError: if the remote cannot be asked.
    """
    repo = clone.open()
    remote = repo.remotes.create_anonymous(url)
    try:
        names = [head.name for head in remote.list_heads(callbacks=_Callbacks())]
        if MAIN not in names:
            return None
        remote.fetch([f"+{MAIN}:{FETCHED}"], callbacks=_Callbacks())
    except (pygit2.GitError, OSError) as error:
        raise UnavailableError(f"The remote {masked(url)} cannot be asked: {masked(str(error))}.") from error
    return str(repo.references[FETCHED].target)


def status(clone: Clone, url: str) -> RemoteStatus:
    """Ask the remote, and compare."""
    theirs = fetch(clone, url)
    repo, head = clone.open(), clone.head or ""
    if theirs is None:
        return RemoteStatus(head, None, sum(1 for _ in repo.walk(head)), 0)
    ahead, behind = repo.ahead_behind(head, theirs)
    return RemoteStatus(head, theirs, ahead, behind)


def pulled(clone: Clone, head: str, url: str, author: Author) -> Prepared | None:
    """Prepare the merge of the remote's ``main`` into ``head``; None if there is nothing new.

    :raises ConflictError: if what it holds cannot be a space.
    """
    theirs = fetch(clone, url)
    repo = clone.open()
    if theirs is None or theirs == head or repo.descendant_of(head, theirs):
        return None
    check_tree(repo, commit_of(repo, theirs).tree)
    if repo.descendant_of(theirs, head):
        return Prepared(theirs, list(_bounded(repo, theirs, head)))
    merged = merge_trees(repo, head, theirs)
    if CONFIG not in repo[merged.id].peel(pygit2.Tree):
        raise ConflictError(f"The remote's main does not go together with this space: {CONFIG} would be lost.")
    made = make_commit(repo, author, f"Merge {masked(url)}", merged.id, [head, theirs])
    return Prepared(made, list(_bounded(repo, made, head)), clashes=merged.clashes)


def push(clone: Clone, url: str) -> None:
    """Push ``main``.

    :raises ConflictError: if the remote has commits that are not in ``main``.
    """
    callbacks = _Callbacks()
    try:
        clone.open().remotes.create_anonymous(url).push([f"{MAIN}:{MAIN}"], callbacks=callbacks)
    except pygit2.GitError as error:
        if "not present locally" in str(error) or "fast" in str(error):
            raise ConflictError("The remote has commits that are not here; pull first.") from error
        raise UnavailableError(f"The remote {masked(url)} cannot be pushed to: {masked(str(error))}.") from error
    if callbacks.refused:
        raise ConflictError(f"The remote refused the push: {callbacks.refused[:200]}.")


def check_tree(repo: pygit2.Repository, tree: pygit2.Tree) -> None:
    """Return if a tree holds what a space may.

    :raises ConflictError: for a symbolic link, a submodule, or a tree without ``space.yaml``.
    """
    if CONFIG not in tree:
        raise ConflictError(f"The remote's main has no {CONFIG}, so it is no space.")
    index = pygit2.Index()
    index.read_tree(tree)
    for entry in index:
        if entry.mode not in PLAIN or entry.id not in repo:
            raise ConflictError(f"The remote's main holds {entry.path}, which is no plain file.")


def _bounded(repo: pygit2.Repository, tip: str, known: str) -> Iterator[Stored]:
    for one in new_objects(repo, [tip], [known]):
        if len(one.data) > LARGEST:
            raise ConflictError(f"The remote holds a file of {len(one.data)} bytes; {LARGEST} is the most.")
        yield one
