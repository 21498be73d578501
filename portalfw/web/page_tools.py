"""What can be done with a page itself, at the right end of its bar: edit it, look at its past, its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.errors import PortalError
from portalfw.web import frame
from portalfw.wiki import PageView
from portalfw.wiki.calling import Caller
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


def of(runtime: Runtime, principal: Principal, path: str, view: PageView, query: str) -> PageTools:
    """Return the tools for a page as the viewer may use them; guests who may only read get none.

    :param query: the page's arguments as in its address, which the editor previews it with.
    """
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
    writes, creates = "W" in letters, "W" in letters_of(principal, of_space)
    others = tuple(_others(runtime, principal, space)) if writes and creates else ()
    tools = _tools(space, page.name, writes=writes, creates=creates, others=others)
    if not (query and writes):
        return tools
    edit, *rest = tools.links
    return replace(tools, links=[replace(edit, href=f"{edit.href}?{query}"), *rest])


def _others(runtime: Runtime, principal: Principal, space: str) -> list[tuple[str, str]]:
    """Return name and title of the other spaces in which the viewer may make pages."""
    spaces = [one for one in runtime.wiki.spaces.values() if one.name != space]
    return [(one.name, one.config.title) for one in spaces if "W" in letters_of(principal, one.config.rights)]


@lru_cache(4096)
def _tools(space: str, name: str, *, writes: bool, creates: bool, others: tuple[tuple[str, str], ...]) -> PageTools:
    where = f"{quote(space)}/{quote(name)}"
    edit = [frame.Tool("Edit", f"/edit/{where}", "pencil", "E")] if writes else []
    links = [*edit, frame.Tool("History", f"/history/{where}", "clock-history")]
    menu = frame.render_part(
        "edit_menu.html", space=space, name=name, where=where, writes=writes, creates=creates, others=others
    )
    return PageTools(links, menu)


def _missing(runtime: Runtime, principal: Principal, space: str, name: str) -> PageTools:
    """Offer who may to make the page that is not there."""
    found = runtime.wiki.spaces.get(space.lower())
    if found is None or "W" not in letters_of(principal, found.config.rights):
        return NONE
    where = f"{quote(found.name)}/{quote(name)}"
    links = [frame.Tool(f"Create {name}", f"/edit/{where}", "plus-lg")]
    if _was_there(runtime, principal, found.name, name):
        links.append(frame.Tool("History", f"/history/{where}", "clock-history"))
    return PageTools(links)


def _was_there(runtime: Runtime, principal: Principal, space: str, name: str) -> bool:
    try:
        given = {"space": space, "page": name, "limit": 1}
        return bool(Caller(runtime.dispatcher, principal).call("system/pages/history", given))
    except PortalError:
        return False
