"""Which page links to which: kept in memory, and read anew of those pages only that have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from portalfw.auth.principal import Principal
from portalfw.history.access import has
from portalfw.history.history import History
from portalfw.history.links import Link, links
from portalfw.history.names import NAV, is_page, name_of, pages_in
from portalfw.history.views import View, text_of
from portalfw.wiki.address import page_key
from portalfw.wiki.space import HOME, is_template

Address = tuple[str, str]  # space and page key


@dataclass(frozen=True)
class Source:
    """A page that links to others; ``readable`` for whom it was looked up."""

    space: str
    name: str
    path: str
    links: Sequence[Link]
    readable: bool


class LinkIndex:
    """The links of all pages of all spaces."""

    def __init__(self, history: History) -> None:
        """Begin empty; pages are read when first asked for."""
        self._history = history
        self._kept: dict[str, dict[str, tuple[str, Sequence[Link]]]] = {}

    def sources(self, principal: Principal) -> Iterator[Source]:
        """Yield all pages with their links, telling of each whether ``principal`` may read it."""
        for space in self._history.store.spaces:
            yield from self._history.store.look(space, lambda view, space=space: self._of(space, view, principal))  # type: ignore[misc]  # a default binds it

    def backlinks(self, principal: Principal, space: str, name: str) -> list[Source]:
        """Return the pages that link to a page, or include it."""
        wanted = (space.lower(), page_key(name))
        return [source for source in self.sources(principal) if any(_leads(link, wanted) for link in source.links)]

    def wanted(self, principal: Principal) -> dict[Address, tuple[str, list[Source]]]:
        """Return what is linked to and is no page: the name as written, and pages (no templates) that link to it."""
        sources = [one for one in self.sources(principal) if one.readable and not is_template(one.path)]
        found: dict[Address, tuple[str, list[Source]]] = {}
        known = {space: self._history.store.look(space, lambda view: pages_in(view.paths())) for space in self._spaces}
        for source in sources:
            for link in source.links:
                pages = known.get(link.space)
                if pages is not None and not link.file and link.key not in pages:
                    of_page = found.setdefault(link.page, (link.name, []))[1]
                    if source not in of_page:
                        of_page.append(source)
        return found

    def orphans(self, principal: Principal) -> list[Source]:
        """Return the pages that no other page and no navigation leads to, but for homes; templates do not count."""
        sources = [one for one in self.sources(principal) if not is_template(one.path)]
        linked: defaultdict[Address, set[Address]] = defaultdict(set)
        for source in sources:
            for link in source.links:
                linked[link.page].add(_address(source))
        return [
            source
            for source in sources
            if source.readable
            and page_key(source.name) not in {page_key(HOME), NAV}
            and not linked[_address(source)] - {_address(source)}
        ]

    @property
    def _spaces(self) -> Sequence[str]:
        return self._history.store.spaces

    def _of(self, space: str, view: View, principal: Principal) -> list[Source]:
        """Return the sources of one space; called in a thread."""
        before, stamps = self._kept.get(space, {}), view.stamps()
        now = {path: self._read(space, view, path, stamp, before) for path, stamp in stamps.items() if is_page(path)}
        self._kept[space] = now
        return [
            Source(space, name_of(path), path, found, has(principal, view, path, "R"))
            for path, (_, found) in now.items()
        ]

    def _read(
        self, space: str, view: View, path: str, stamp: str, before: Mapping[str, tuple[str, Sequence[Link]]]
    ) -> tuple[str, Sequence[Link]]:
        kept = before.get(path)
        if kept is not None and kept[0] == stamp:
            return kept
        return stamp, links(space, name_of(path), text_of(view, path) or "")


def _leads(link: Link, wanted: Address) -> bool:
    return not link.file and link.page == wanted


def _address(source: Source) -> Address:
    return source.space, page_key(source.name)
