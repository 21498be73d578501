"""What can be done with a page itself, at the right end of its bar: edit it, look at its past, its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.errors import PortalError
from portalfw.web import frame
from portalfw.wiki import PageView
from portalfw.wiki.rights import letters_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

NOT_FOUND = 404


@dataclass(frozen=True)
class PageTools:
    """Links that are always seen, and the menu behind them."""

    links: Sequence[frame.Tool] = ()
    menu: Markup = field(default_factory=Markup)


NONE = PageTools()


def of(runtime: Runtime, principal: Principal, path: str, view: PageView) -> PageTools:
    """Return the tools for a page as the viewer may use them; guests who may only read get none."""
    parts = [part for part in path.split("/") if part]
    if view.fault is not None:
        missing = view.fault.status == NOT_FOUND and len(parts) > 1
        return _missing(runtime, principal, parts[0], parts[-1]) if missing else NONE
    space, name = view.path.strip("/").split("/", 1)
    try:
        page = runtime.wiki.page(principal, space, name)
    except PortalError:
        return NONE  # it was deleted while it was rendered
    of_space = runtime.wiki.spaces[space].config.rights
    letters = letters_of(principal, {**of_space, **page.rights})
    if principal.guest and "W" not in letters:
        return NONE
    return _tools(space, page.name, letters, letters_of(principal, of_space))


def _tools(space: str, name: str, letters: frozenset[str], of_space: frozenset[str]) -> PageTools:
    where = f"{quote(space)}/{quote(name)}"
    edit = [frame.Tool("Edit", f"/edit/{where}", "pencil", "E")] if "W" in letters else []
    menu = frame.render_part(
        "edit_menu.html", space=space, name=name, where=where, writes="W" in letters, creates="W" in of_space
    )
    return PageTools(edit, menu)


def _missing(runtime: Runtime, principal: Principal, space: str, name: str) -> PageTools:
    """Offer who may to make the page that is not there."""
    found = runtime.wiki.spaces.get(space.lower())
    if found is None or "W" not in letters_of(principal, found.config.rights):
        return NONE
    return PageTools([frame.Tool(f"Create {name}", f"/edit/{quote(found.name)}/{quote(name)}", "plus-lg")])
