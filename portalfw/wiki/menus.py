"""Navigation, portals menu and breadcrumbs, under the viewer's rights."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError
from portalfw.wiki.address import ABSOLUTE, address_of, link, page_key
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.nav import NavGroup, NavItem, NavLink, NavSection
from portalfw.wiki.page import Page
from portalfw.wiki.rights import letters_of
from portalfw.wiki.space import HOME, Space
from portalfw.wiki.views import Portal

log = logging.getLogger(__name__)


def portals(spaces: Mapping[str, Space], principal: Principal, active: Space | None) -> list[Portal]:
    """Return the spaces that the viewer may read, in their order."""
    found = [
        (space.config.order, Portal(space.config.title, f"/{space.name}", space.config.icon, space is active))
        for space in spaces.values()
        if not space.config.hidden and "R" in letters_of(principal, space.config.rights)
    ]
    return [portal for _, portal in sorted(found, key=lambda one: (one[0], one[1].label))]


def navigation(space: Space, principal: Principal, here: set[str]) -> list[NavGroup]:
    """Return a space's navigation; links to pages named in ``here`` are active."""
    mode = space.config.navigation
    if mode == "none":
        return []
    try:
        written = space.nav if mode == "written" else ()
        sections = written or (NavSection(None, tuple(_links(space))),)
    except PageSyntaxError as error:
        log.warning("Space %s: %s", space.name, error)
        sections = (NavSection(None, tuple(_links(space))),)
    groups = []
    for section in sections:
        items = [_item(space, one, here) for one in section.links if _readable(space, one, principal)]
        if items:
            groups.append(NavGroup(section.title, items))
    return groups


def _links(space: Space) -> Iterator[NavLink]:
    """Yield a link to every page that needs no parameter, for spaces without ``nav.md``."""
    for page in sorted(space.pages(), key=lambda page: (page_key(page.name) != page_key(HOME), page.order)):
        if not page.source.meta.get("hidden") and not any(param.required for param in page.params):
            yield NavLink(page.label, page.name, page.icon or "file-earmark-text")


def _item(space: Space, one: NavLink, here: set[str]) -> NavItem:
    base = f"/{space.name}/"
    active = not ABSOLUTE.match(one.target) and page_key(one.target.partition("?")[0]) in here
    return NavItem(one.label, link(one.target, base, {}), one.icon, active)


def _readable(space: Space, one: NavLink, principal: Principal) -> bool:
    if ABSOLUTE.match(one.target):
        return True
    try:
        page = space.find(one.target.partition("?")[0])
    except (LookupError, PageSyntaxError, InvalidError):
        return True  # the link leads to a page that says what is wrong
    return "R" in letters_of(principal, {**space.config.rights, **page.rights})


def parents(page: Page, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return labels and targets of a page's ``parent``: a page's name, or lines of label: target.

    :raises PageSyntaxError: if an expression fails.
    """
    given = page.parent.run(values)
    if isinstance(given, Mapping):
        return [(str(label), str(target)) for label, target in given.items()]
    return [(str(given), str(given))] if given else []


def breadcrumbs(
    space: Space, page: Page, title: str, above: list[tuple[str, str]], params: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the way to a page."""
    start = (space.config.title, f"/{space.name}")
    if page_key(page.name) == page_key(HOME):
        return [start]
    way = [(_label(space, label, target), page.link(target, {})) for label, target in above]
    return [start, *way, (title, address_of(page.path, params))]


def _label(space: Space, label: str, target: str) -> str:
    """Return the title of a page that is only named."""
    try:
        return space.find(target).label if label == target else label
    except (LookupError, PageSyntaxError, InvalidError):
        return label
