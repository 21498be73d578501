"""The rules that decide who may do what with a page, for whoever asks why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from portalfw.auth.principal import Principal
from portalfw.errors import NotFoundError
from portalfw.history.access import check, rules_at
from portalfw.history.names import name_of
from portalfw.history.pages import file_of
from portalfw.history.views import Store, View
from portalfw.wiki.rights import Rule
from portalfw.wiki.space import HOME


@dataclass(frozen=True)
class PageRules:
    """A page and its rules, in the order in which they are asked."""

    address: str
    name: str
    rules: Sequence[Rule]


def rules_of_page(store: Store, asker: Principal, address: str) -> PageRules:
    """Return the rules of the page at an address: ``/docs/Home``, or ``/docs`` for its home.

    :raises NotFoundError: if there is no such page; told only to who may read the space.
    """
    space, _, page = unquote(address.partition("?")[0]).strip("/").partition("/")
    name = page or HOME

    def look(view: View) -> PageRules:
        path = file_of(view, name)
        if path is None:
            check(asker, view, None, "R", f"the space {space}")
            raise NotFoundError(f"There is no page {name[:100]!r} in the space {space[:60]}.")
        return PageRules(f"/{space.lower()}/{name_of(path)}", name_of(path), rules_at(view, path))

    return store.look(space, look)
