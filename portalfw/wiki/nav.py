"""A space's navigation, ``nav.md``: ``## Group`` headings and links ``- [Label](Page) {icon}``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from portalfw.wiki.errors import PageSyntaxError

GROUP = re.compile(r"#{1,6}\s+(.+?)\s*#*$")
LINK = re.compile(r"[-*]\s+\[([^\]]+)\]\(<?([^)>]*)>?\)\s*(?:\{\s*([\w-]+)\s*\})?$")


@dataclass(frozen=True)
class NavLink:
    """A link as written; ``icon`` is a name of bootstrap-icons."""

    label: str
    target: str
    icon: str | None


@dataclass(frozen=True)
class NavSection:
    """Links under one heading."""

    title: str | None
    links: Sequence[NavLink]


@dataclass(frozen=True)
class NavItem:
    """A link as the frame shows it."""

    label: str
    href: str
    icon: str | None = None
    active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class NavGroup:
    """Links that belong together."""

    title: str | None
    items: Sequence[NavItem]


def read_nav(text: str) -> tuple[NavSection, ...]:
    """Read a navigation.

    :raises PageSyntaxError: for a line that is neither a heading nor a link, naming it.
    """
    sections: list[tuple[str | None, list[NavLink]]] = [(None, [])]
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        group, link = GROUP.match(words), LINK.match(words)
        if group:
            sections.append((group[1], []))
        elif link:
            sections[-1][1].append(NavLink(link[1], link[2], link[3]))
        elif words:
            raise PageSyntaxError(
                f"nav.md: {words[:60]!r} is neither '## Group' nor '- [Label](Page) {{icon}}'", number
            )
    return tuple(NavSection(title, tuple(links)) for title, links in sections if links)
