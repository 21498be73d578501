"""Who hears that a page, or a file of a space, has changed: who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from portalfw.audience import Hearing, operators
from portalfw.wiki.address import page_id
from portalfw.wiki.rights import letters_of

if TYPE_CHECKING:
    from portalfw.wiki.wiki import Wiki

COLLECTIONS: Final = ("page", "space_file", "page_lock", "page_conflict", "space_head")
"""Their ids begin with the name of a space; of pages and their locks the page's name follows."""


class PageAudience:
    """Asks a wiki for the rights of what has changed."""

    def __init__(self, wiki: Wiki) -> None:
        """Ask ``wiki``."""
        self._wiki = wiki

    def __call__(self, row: Mapping[str, Any]) -> Hearing:
        """Return who may hear, for a document of which no more than ``_id`` is needed."""
        name = str(row["_id"]).partition("/")[0]
        space = self._wiki.spaces.get(name.lower())
        if space is None:
            return operators
        page = next((one for one in space.pages() if page_id(name, one.name) == row["_id"]), None)
        rights = {**space.config.rights, **(page.rights if page else {})}
        return lambda one: "R" in letters_of(one, rights)
