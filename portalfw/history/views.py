"""A space's files as they are at one revision, whichever way they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from portalfw.history.names import pages_in
from portalfw.wiki.address import page_key

T = TypeVar("T")
Changes = Mapping[str, bytes | None]  # files by path; None deletes
MergedText = tuple[str, bool]  # the text, with markers where it is not clean, and whether it is clean


@dataclass(frozen=True)
class Author:
    """Who makes a change."""

    name: str
    email: str = ""


@dataclass(frozen=True)
class Done:
    """A change as it was made: the revision since it, and the files that it changed (none: nothing was to be done)."""

    revision: str
    changed: Sequence[str]


class View(Protocol):
    """A space's files at one revision. It is used off the hub, in a thread."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None if there is none."""

    def paths(self) -> Sequence[str]:
        """Return the paths of all files."""

    def stamps(self) -> Mapping[str, str]:
        """Return for each file a text that is another when the file's content is."""

    def revision_of(self, path: str) -> str:
        """Return the revision that an editor of a file bases its text on."""

    def earlier(self, revision: str, path: str) -> bytes | None:
        """Return a file as it was at another revision; None if it was not there, or that is not known."""

    def merge(self, base: str, mine: str, theirs: str) -> MergedText:
        """Merge two texts that were made from ``base``."""


class PageFiles:
    """Finds the pages of a view."""

    def __init__(self, view: View) -> None:
        """Look into ``view`` when asked."""
        self._view = view

    def find(self, name: str) -> str | None:
        """Return the file of a page, by its name in any letter case."""
        direct = f"{name}.md"
        if "/" not in name and self._view.read(direct) is not None:
            return direct
        return pages_in(self._view.paths()).get(page_key(name))


def text_of(view: View, path: str) -> str | None:
    """Return a text file's content; None if there is none."""
    found = view.read(path)
    return None if found is None else found.decode("utf-8", "replace")


class Store(Protocol):
    """Where the files of spaces are kept and changed."""

    keeps_history: bool

    def look(self, space: str, reader: Callable[[View], T], revision: str | None = None) -> T:
        """Return what ``reader`` finds in a space as it is now, or was at ``revision``; it runs off the hub.

        :raises NotFoundError: if there is no such space or revision.
        """

    def change(self, space: str, author: Author, message: str, build: Callable[[View], Changes]) -> Done:
        """Make one change of several files at once, or none of them.

        :param build: returns what to change; it is asked again, with what is there then, if another change came first.
        :raises PortalError: what ``build`` raises.
        """
