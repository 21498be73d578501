"""Reading and writing the sources of pages, under the rights of whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.history.access import check, check_rights_change, has, rights_at
from portalfw.history.documents import PageConflict
from portalfw.history.history import History
from portalfw.history.names import NAV, name_of, page_name
from portalfw.history.views import Author, Changes, PageFiles, View, text_of
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.nav import read_nav
from portalfw.wiki.page import Page, compile_page
from portalfw.wiki.rights import letters_of
from portalfw.wiki.space import TEMPLATES, is_template
from portalfw.wiki.views import PageView

T = TypeVar("T")
LONGEST_TEXT: Final = 2**20  # characters
LONGEST_MESSAGE: Final = 500


@dataclass(frozen=True)
class SourceText:
    """A page's source as an editor gets it."""

    space: str
    name: str
    text: str
    revision: str  # to send along with the next save
    letters: frozenset[str]  # what the reader may do


@dataclass(frozen=True)
class Saved:
    """What became of a text: with ``merged``, ``text`` also holds what others wrote meanwhile."""

    space: str
    name: str
    revision: str
    changed: bool
    merged: bool
    text: str


class Pages:
    """Sources of pages: read, previewed, created and saved."""

    def __init__(self, history: History) -> None:
        """Work on the spaces of ``history``."""
        self.history = history
        self.store = history.store

    def get(self, principal: Principal, space: str, name: str) -> SourceText:
        """Return a page's source.

        :raises NotFoundError: if there is no such page.
        :raises ForbiddenError: if it may not be read.
        """

        def read(view: View) -> SourceText:
            path, text = existing(view, space, name)
            check(principal, view, path, "R", f"the page {name_of(path)}")
            letters = letters_of(principal, rights_at(view, path))
            return SourceText(space.lower(), name_of(path), text, view.revision_of(path), letters)

        return self.store.look(space, read)

    def check_now(self, principal: Principal, space: str, name: str, letter: str = "R") -> None:
        """Return if the principal has ``letter`` on the page as it is now, or on its space if it is gone.

        :raises ForbiddenError: if it has not.
        """

        def look(view: View) -> None:
            path = file_of(view, name)
            check(principal, view, path, letter, f"the page {name}" if path else f"the space {space}")

        self.store.look(space, look)

    def may_write(self, principal: Principal, space: str, name: str | None = None) -> bool:
        """Tell whether the principal may write the page as it is now; the space if there is none, or none is named."""

        def look(view: View) -> bool:
            return has(principal, view, None if name is None else file_of(view, name), "W")

        return self.store.look(space, look)

    def save(self, principal: Principal, space: str, name: str, text: str, base: str, message: str = "") -> Saved:
        """Save a text that was made from the page at revision ``base``.

        What others saved meanwhile is merged into it.

        :raises ConflictError: if that cannot be; ``detail`` holds ``base``, ``mine``, ``theirs``, and ``merge``, the
            text with markers, and ``revision``, on which a merged text is to be based.
        :raises InvalidError: if the text is no page, naming its line.
        """
        mine = clean(text)
        made: dict[str, Saved] = {}

        def build(view: View) -> Changes:
            path = file_of(view, name)
            if path is None:
                raise gone(space, name, base, mine)
            what = f"the page {name_of(path)}"
            check(principal, view, path, "R", what)
            check(principal, view, path, "W", what)
            theirs = text_of(view, path) or ""
            result = merged(view, path, base, mine, theirs)
            validate(space, name_of(path), result)
            check_rights_change(principal, view, path, theirs, result)
            made["is"] = Saved(
                space.lower(), name_of(path), view.revision_of(path), changed=False, merged=result != mine, text=result
            )
            return {} if result == theirs else {path: result.encode()}

        done = self.store.change(space, author_of(principal), subject(message, f"Edit {name}"), build)
        one = made["is"]
        PageConflict.collection().delete_one({"_id": f"{one.space}/{done.changed[0] if done.changed else ''}"})
        return Saved(one.space, one.name, done.revision or one.revision, bool(done.changed), one.merged, one.text)

    def create(
        self,
        principal: Principal,
        space: str,
        name: str,
        text: str | None = None,
        template: str | None = None,
        message: str = "",
        *,
        as_template: bool = False,
    ) -> Saved:
        """Make a new page of a text, or of a template's, or an empty one.

        :raises ConflictError: if there is a page of this name, in whatever letter case.
        """
        kept = NAV if name.strip().lower() == NAV else page_name(name)
        made: list[str] = []

        def build(view: View) -> Changes:
            check(principal, view, None, "W", f"the space {space}")
            there = file_of(view, kept)
            if there is not None:
                raise ConflictError(
                    f"The space {space} has a page {name_of(there)} already.", detail={"page": name_of(there)}
                )
            source = clean(text) if text is not None else self._template(principal, view, template)
            validate(space, kept, source)
            check_rights_change(principal, view, None, None, source)
            made[:] = [source]
            return {f"{TEMPLATES}/{kept}.md" if as_template else f"{kept}.md": source.encode()}

        done = self.store.change(space, author_of(principal), subject(message, f"Create {kept}"), build)
        return Saved(space.lower(), kept, done.revision, changed=True, merged=False, text=made[0])

    def templates(self, principal: Principal, space: str) -> list[str]:
        """Return the names of the templates that the principal may read."""

        def look(view: View) -> list[str]:
            check(principal, view, None, "R", f"the space {space}")
            paths = [path for path in view.paths() if is_template(path)]
            return sorted(name_of(path) for path in paths if "R" in letters_of(principal, rights_at(view, path)))

        return self.store.look(space, look)

    def preview(
        self, principal: Principal, space: str, name: str, text: str, params: Mapping[str, str] | None = None
    ) -> PageView:
        """Render a text as if it were the page; nothing is stored.

        :raises InvalidError: if the text is no page, naming its line.
        """
        self.check_now(principal, space, name)
        try:
            page = compiled(space, name, clean(text))
            return self.history.wiki.preview(principal, page, params or {})
        except PageSyntaxError as error:
            raise mistake(error) from error

    def _template(self, principal: Principal, view: View, template: str | None) -> str:
        if template is None:
            return "\n"
        path = next((path for path in view.paths() if is_template(path) and name_of(path) == template), None)
        if path is None:
            raise NotFoundError(f"There is no template {template!r}.", detail={"argument": "template"})
        check(principal, view, path, "R", f"the template {template}")
        return text_of(view, path) or ""


def author_of(principal: Principal) -> Author:
    """Return who a commit names."""
    return Author(principal.name)


def subject(message: str, otherwise: str) -> str:
    """Return a commit's message."""
    words = "".join(mark if mark.isprintable() or mark == "\n" else " " for mark in message).strip()
    return words[:LONGEST_MESSAGE] or otherwise


def file_of(view: View, name: str) -> str | None:
    """Return the file of a page, or of the navigation; None if there is none."""
    return PageFiles(view).find(name)


def existing(view: View, space: str, name: str) -> tuple[str, str]:
    """Return a page's file and text.

    :raises NotFoundError: if there is none.
    """
    path = file_of(view, name)
    if path is None:
        raise NotFoundError(f"There is no page {name[:100]!r} in the space {space}.")
    return path, text_of(view, path) or ""


def clean(text: str) -> str:
    """Return a text as it is kept: lines end in LF, and the last one ends.

    :raises InvalidError: if it is too long, or is no text.
    """
    problem = None
    if len(text) > LONGEST_TEXT:
        problem = f"is longer than {LONGEST_TEXT} characters"
    elif "\0" in text:
        problem = "holds a NUL"
    elif any("\ud800" <= mark <= "\udfff" for mark in text):
        problem = "holds half of a character (a lone surrogate)"
    if problem:
        raise InvalidError(f"The text {problem}.", detail={"argument": "text"})
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return text if text.endswith("\n") else text + "\n"


def compiled(space: str, name: str, text: str) -> Page:
    """Compile a text that is nowhere stored.

    :raises PageSyntaxError: naming the line.
    """
    return compile_page(space.lower(), name, Path(f"{name}.md"), 0.0, text)


def validate(space: str, name: str, text: str) -> None:
    """Return if a text is a page, or a navigation.

    :raises InvalidError: naming the line.
    """
    try:
        if name == NAV:
            read_nav(text)
        else:
            compiled(space, name, text)
    except PageSyntaxError as error:
        raise mistake(error) from error
    except RecursionError as error:
        raise InvalidError("The text is nested too deeply.", detail={"argument": "text"}) from error


def mistake(error: PageSyntaxError) -> InvalidError:
    """Return a mistake in a text as an answer to who sent it."""
    return InvalidError(f"Line {error.line}: {error.message}.", detail={"argument": "text", "line": error.line})


def merged(view: View, path: str, base: str, mine: str, theirs: str) -> str:
    """Return the text to save: ``mine``, with what was saved since revision ``base``.

    :raises ConflictError: if both changed the same lines.
    """
    revision = view.revision_of(path)
    if base == revision or mine == theirs:
        return mine
    known = view.earlier(base, path)
    before = None if known is None else known.decode("utf-8", "replace")
    if before == theirs:
        return mine
    text, fine = view.merge(before or "", mine, theirs)
    if fine and before is not None:
        return text
    raise ConflictError(
        f"{name_of(path)} was changed by another edit in the same place.",
        detail={
            "base": before,
            "mine": mine,
            "theirs": theirs,
            "merge": text,
            "revision": revision,
            "page": name_of(path),
        },
    )


def gone(space: str, name: str, base: str, mine: str) -> ConflictError | NotFoundError:
    """Return the answer to who saves a page that there is not."""
    if not base:
        return NotFoundError(f"There is no page {name[:100]!r} in the space {space}; create it.")
    return ConflictError(
        f"{name} was deleted or renamed by another edit; create it anew to keep this text.",
        detail={"base": None, "mine": mine, "theirs": None, "merge": mine, "revision": None, "page": name},
    )
