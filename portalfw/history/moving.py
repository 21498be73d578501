"""Renaming, moving, deleting and restoring pages, with their attachments and the links that lead to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError, InvalidError
from portalfw.history.access import check, has, page_rights
from portalfw.history.linkindex import LinkIndex, Source
from portalfw.history.links import Link, links, rewritten
from portalfw.history.names import FILES, NAV, name_of, page_name
from portalfw.history.pages import Pages, author_of, existing, file_of, subject
from portalfw.history.past import RENAMED
from portalfw.history.views import Changes, View, text_of
from portalfw.wiki.address import page_key

MOST_TOLD: Final = 100


@dataclass(frozen=True)
class Moved:
    """A page under its new name: the pages whose links were rewritten, and those that still have the old one.

    ``unseen`` more have the old one, which the author may not read.
    """

    space: str
    name: str
    revision: str
    rewritten: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
    unseen: int


class Moving:
    """Moves pages about."""

    def __init__(self, pages: Pages, index: LinkIndex) -> None:
        """Find links by ``index``."""
        self._pages = pages
        self._store = pages.store
        self._index = index

    def rename(self, principal: Principal, space: str, name: str, new: str, message: str = "") -> Moved:
        """Give a page another name, and rewrite the links to it in all pages that the author may write.

        :raises ConflictError: if there is a page of that name.
        """
        kept = page_name(new)
        sources = self._index.backlinks(principal, space, name)

        def build(view: View) -> Changes:
            path = self._source(principal, view, space, name)
            there = file_of(view, kept)
            if there not in {None, path}:
                raise ConflictError(f"The space {space} has a page {name_of(str(there))} already.")
            folder = path.rpartition("/")[0]
            target = f"{folder}/{kept}.md" if folder else f"{kept}.md"
            changes = dict(_files_moved(view, name_of(path), kept))
            renaming = _Rewriting(space, name_of(path), space, kept)
            for one in (one for one in sources if one.space == space.lower() and has(principal, view, one.path, "W")):
                if has(principal, view, one.path, "R") and one.path != path:
                    changes.update(renaming.of(view, one.space, one.path))
            text = renaming.text(space.lower(), name_of(path), text_of(view, path) or "")
            return {**changes, path: None, target: text.encode()}

        name = self._store.look(space, lambda view: name_of(existing(view, space, name)[0]))
        words = subject(message, f"Rename {name} to {kept}") + RENAMED + name
        done = self._store.change(space, author_of(principal), words, build)
        return self._links_elsewhere(principal, space, name, space, kept, done.revision, sources)

    def move(self, principal: Principal, space: str, name: str, to: str, message: str = "") -> Moved:
        """Move a page with its attachments to another space, and rewrite the links to it and in it.

        It is written there before it is deleted here, so that it may be in both for a moment, never in none.

        :raises ConflictError: if there is a page of its name.
        """
        to = to.lower()
        if to == space.lower():
            raise InvalidError(f"The page is in {space} already.", detail={"argument": "to"})
        sources = self._index.backlinks(principal, space, name)
        taken: dict[str, bytes] = {}

        def take(view: View) -> str:
            path = self._source(principal, view, space, name)
            text = text_of(view, path) or ""
            taken.update(_folder_files(view, name_of(path)))
            taken[f"{name_of(path)}.md"] = _from_elsewhere(text, space.lower(), name_of(path), to).encode()
            return name_of(path)

        kept = self._store.look(space, take)

        def put(view: View) -> Changes:
            check(principal, view, None, "W", f"the space {to}")
            there = file_of(view, kept)
            if there is not None:
                raise ConflictError(f"The space {to} has a page {name_of(there)} already.")
            rights = page_rights(taken[f"{kept}.md"].decode())
            if rights and not has(principal, view, None, "A"):
                raise InvalidError(f"{kept} has rights of its own; who moves it needs right A on the space {to}.")
            return taken

        def remove(view: View) -> Changes:
            return self._removed(view, self._source(principal, view, space, name))

        words = subject(message, f"Move {kept} from {space} to {to}")
        done = self._store.change(to, author_of(principal), words, put)
        self._store.change(space, author_of(principal), words, remove)
        return self._links_elsewhere(principal, space, kept, to, kept, done.revision, sources)

    def delete(self, principal: Principal, space: str, name: str, message: str = "") -> str:
        """Delete a page with its attachments; return the revision since when it is gone."""

        def build(view: View) -> Changes:
            return self._removed(view, self._source(principal, view, space, name))

        return self._store.change(space, author_of(principal), subject(message, f"Delete {name}"), build).revision

    def _removed(self, view: View, path: str) -> Changes:
        return dict.fromkeys([path, *_folder_files(view, name_of(path))])

    def _source(self, principal: Principal, view: View, space: str, name: str) -> str:
        if page_key(name) == NAV:
            raise InvalidError("The navigation stays where it is; edit it instead.", detail={"argument": "page"})
        path, _ = existing(view, space, name)
        for letter in "RW":
            check(principal, view, path, letter, f"the page {name_of(path)}")
        return path

    def _links_elsewhere(
        self, principal: Principal, space: str, old: str, to: str, new: str, revision: str, sources: list[Source]
    ) -> Moved:
        """Rewrite the links of other spaces' pages, and tell which links are as they were."""
        rewriting = _Rewriting(space, old, to, new)
        for other in {source.space for source in sources} - ({space.lower()} if space == to else set()):
            self._rewrite(principal, other, [one for one in sources if one.space == other], rewriting)
        same = (space.lower(), page_key(old)) == (to.lower(), page_key(new))
        left = [] if same else self._index.backlinks(principal, space, old)
        still = {(one.space, one.name) for one in left}
        seen = tuple((one.space, one.name) for one in left if one.readable)
        own = (space.lower(), old)
        done = tuple(
            (one.space, one.name)
            for one in sources
            if one.readable and (one.space, one.name) not in still and (one.space, one.name) != own
        )
        return Moved(to.lower(), new, revision, done[:MOST_TOLD], seen[:MOST_TOLD], len(left) - len(seen))

    def _rewrite(self, principal: Principal, space: str, sources: list[Source], rewriting: _Rewriting) -> None:
        def build(view: View) -> Changes:
            changes: dict[str, bytes | None] = {}
            for one in sources:
                if has(principal, view, one.path, "W") and has(principal, view, one.path, "R"):
                    changes.update(rewriting.of(view, one.space, one.path))
            return changes

        self._store.change(space, author_of(principal), f"Follow {rewriting.old} to {rewriting.new}", build)


class _Rewriting:
    """Links to one page that has another name or space now."""

    def __init__(self, space: str, old: str, to: str, new: str) -> None:
        self.space, self.old, self.to, self.new = space.lower(), old, to.lower(), new

    def of(self, view: View, here: str, path: str) -> Mapping[str, bytes]:
        """Return the file with its links rewritten, if it has any."""
        text = text_of(view, path)
        if text is None:
            return {}
        after = self.text(here, name_of(path), text)
        return {} if after == text else {path: after.encode()}

    def text(self, here: str, name: str, text: str) -> str:
        """Return a text of a page of the space ``here`` with its links rewritten."""
        return rewritten(text, links(here, name, text), self._new, here)

    def _new(self, link: Link) -> tuple[str, str] | None:
        if link.file:
            return self._file(link)
        if link.page != (self.space, page_key(self.old)) or (link.included and self.space != self.to):
            return None
        return (link.space if link.included else self.to), self.new

    def _file(self, link: Link) -> tuple[str, str] | None:
        folder = f"{FILES}/{self.old}/"
        if link.space != self.space or not link.key.startswith(folder):
            return None
        return self.to, f"{FILES}/{self.new}/{link.key.removeprefix(folder)}"


def _folder_files(view: View, name: str) -> dict[str, bytes]:
    """Return the attachments of a page by path."""
    folder = f"{FILES}/{name}/"
    return {path: view.read(path) or b"" for path in view.paths() if path.startswith(folder)}


def _files_moved(view: View, old: str, new: str) -> Iterator[tuple[str, bytes | None]]:
    """Yield the attachments of a page as they are to be under its new name."""
    for path, data in _folder_files(view, old).items():
        yield path, None
        yield f"{FILES}/{new}/{path.removeprefix(f'{FILES}/{old}/')}", data


def _from_elsewhere(text: str, space: str, name: str, to: str) -> str:
    """Return the text of a page for another space: what it linked to there is still what it links to."""

    def new(link: Link) -> tuple[str, str] | None:
        if link.included:
            return None
        own = link.key.startswith(f"{FILES}/{name}/") if link.file else link.page == (space, page_key(name))
        return (to if own and link.space == space else link.space), (link.key if link.file else link.name)

    return rewritten(text, links(space, name, text), new, to)
