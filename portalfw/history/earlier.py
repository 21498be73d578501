"""The past of pages under the rights of whoever asks: history, differences, blame, revert, restore."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError, NotFoundError
from portalfw.history.access import check, check_rights_change, has
from portalfw.history.clone import GitView
from portalfw.history.diff import Difference, difference
from portalfw.history.names import FILES, name_of
from portalfw.history.pages import Pages, Saved, author_of, existing, file_of, subject, validate
from portalfw.history.past import MOST, Revision, git_view, last_path, message_of, path_then, revisions
from portalfw.history.views import Changes, View, text_of


@dataclass(frozen=True)
class Blamed:
    """Lines of a page that one commit brought, counting from 1."""

    start: int
    lines: int
    revision: str
    author: str
    date: float
    message: str


class Earlier:
    """What pages were.

    Whoever asks must have the right to read the page as it is now, and as it was then.
    """

    def __init__(self, pages: Pages) -> None:
        """Work on the spaces of ``pages``."""
        self._pages = pages
        self._store = pages.store

    def history(self, principal: Principal, space: str, name: str) -> list[Revision]:
        """Return the revisions of a page, the latest first; of a deleted one those before, too."""

        def look(given: View) -> list[Revision]:
            view = git_view(given)
            path = self._now(principal, view, space, name)
            found = (one for one in revisions(view, path) if self._seen(principal, view, one))
            return list(islice(found, MOST))

        return self._store.look(space, look)

    def text(self, principal: Principal, space: str, name: str, revision: str) -> tuple[str, str]:
        """Return a page's name and text at a revision.

        :raises NotFoundError: if it was not there then.
        :raises ForbiddenError: if it may not be read, as it is now or as it was.
        """

        def look(given: View) -> tuple[str, str]:
            view = git_view(given)
            return self._then(principal, view, space, self._now(principal, view, space, name), revision)

        return self._store.look(space, look)

    def diff(self, principal: Principal, space: str, name: str, old: str, new: str | None = None) -> Difference:
        """Compare a page at two revisions, or at one with how it is now."""

        def look(given: View) -> Difference:
            view = git_view(given)
            path = self._now(principal, view, space, name)
            after = (text_of(view, path) or "") if new is None else self._then(principal, view, space, path, new)[1]
            return difference(self._then(principal, view, space, path, old, missing="")[1], after)

        return self._store.look(space, look)

    def blame(self, principal: Principal, space: str, name: str) -> list[Blamed]:
        """Return who brought which lines of a page."""

        def look(given: View) -> list[Blamed]:
            view = git_view(given)
            path, _ = existing(view, space, name)
            check(principal, view, path, "R", f"the page {name_of(path)}")
            return [_blamed(view, hunk) for hunk in view.repo.blame(path, newest_commit=view.commit.id)]

        return self._store.look(space, look)

    def revert(self, principal: Principal, space: str, name: str, revision: str, message: str = "") -> Saved:
        """Save a page as it was at a revision, whatever it is now."""
        made: list[str] = []

        def build(given: View) -> Changes:
            view = git_view(given)
            path, now = existing(view, space, name)
            check(principal, view, path, "R", f"the page {name_of(path)}")
            check(principal, view, path, "W", f"the page {name_of(path)}")
            _, text = self._then(principal, view, space, path, revision)
            validate(space, name_of(path), text)
            check_rights_change(principal, view, path, now, text)
            made[:] = [name_of(path), text]
            return {} if text == now else {path: text.encode()}

        words = subject(message, f"Revert {name} to {revision[:10]}")
        done = self._store.change(space, author_of(principal), words, build)
        return Saved(space.lower(), made[0], done.revision, changed=bool(done.changed), merged=False, text=made[1])

    def restore(self, principal: Principal, space: str, name: str, message: str = "") -> Saved:
        """Bring a deleted page back as it was last, with its attachments.

        :raises ConflictError: if there is a page of this name.
        """
        made: list[str] = []

        def build(given: View) -> Changes:
            view = git_view(given)
            check(principal, view, None, "W", f"the space {space}")
            there = file_of(view, name)
            if there is not None:
                raise ConflictError(f"The space {space} has a page {name_of(there)}; revert it instead.")
            path, revision = self._deleted(view, space, name)
            then = GitView(view.repo, revision)
            for letter in "RW":
                check(principal, then, path, letter, f"the page {name_of(path)} as it was")
            text = text_of(then, path) or ""
            made[:] = [name_of(path), text]
            folder = f"{FILES}/{name_of(path)}/"
            files = {one: then.read(one) for one in then.paths() if one.startswith(folder) and view.read(one) is None}
            return {**files, path: text.encode()}

        done = self._store.change(space, author_of(principal), subject(message, f"Restore {name}"), build)
        return Saved(space.lower(), made[0], done.revision, changed=True, merged=False, text=made[1])

    def _deleted(self, view: GitView, space: str, name: str) -> tuple[str, str]:
        found = last_path(view, name)
        if found is None:
            raise NotFoundError(f"There is no page {name[:100]!r} in the space {space}, and there was none.")
        return found

    def _now(self, principal: Principal, view: GitView, space: str, name: str) -> str:
        """Return the file of a page that may be read, or where it lay last if it could be read then."""
        path = file_of(view, name)
        if path is not None:
            check(principal, view, path, "R", f"the page {name_of(path)}")
            return path
        check(principal, view, None, "R", f"the space {space}")
        path, revision = self._deleted(view, space, name)
        check(principal, GitView(view.repo, revision), path, "R", f"the page {name_of(path)} as it was")
        return path

    def _then(
        self, principal: Principal, view: GitView, space: str, path: str, revision: str, *, missing: str | None = None
    ) -> tuple[str, str]:
        """Return name and text of a page at a revision; ``missing`` if it was not there."""
        then = GitView(view.repo, revision)
        old = path_then(view, then, path)
        if old is None:
            if missing is not None:
                return name_of(path), missing
            raise NotFoundError(f"The page {name_of(path)} of {space} was not there at revision {revision[:10]}.")
        check(principal, then, old, "R", f"the page {name_of(old)} as it was at {revision[:10]}")
        return name_of(old), text_of(then, old) or ""

    def _seen(self, principal: Principal, view: GitView, one: Revision) -> bool:
        then = GitView(view.repo, one.revision)
        if one.action == "deleted":
            then = GitView(view.repo, str(then.commit.parents[0].id))
        return has(principal, then, one.path, "R")


def _blamed(view: GitView, hunk: object) -> Blamed:
    commit = GitView(view.repo, str(hunk.final_commit_id)).commit  # type: ignore[attr-defined]  # pygit2 has no type for it
    start, lines = hunk.final_start_line_number, hunk.lines_in_hunk  # type: ignore[attr-defined]
    return Blamed(start, lines, str(commit.id), commit.author.name, float(commit.author.time), message_of(commit))
