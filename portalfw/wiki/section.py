"""One section of a page: from a heading to the next one of its level or above."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from portalfw.errors import NotFoundError
from portalfw.wiki.address import page_key
from portalfw.wiki.markup import TAG, Heading, Html, Slot

VOID: Final = frozenset({"area", "br", "col", "hr", "img", "input", "wbr"})
NAME = re.compile(r"</?([a-zA-Z0-9]+)")
LEVEL = re.compile(r"<h([1-6])\b")
ANCHOR = re.compile(r'\bid="([^"]*)"')


def section(html: Html, wanted: str) -> Html:
    """Return the part of a page under the heading ``wanted``: its words, or its anchor.

    Headings within lists, quotes or boxes do not count: what they begin does not end where the next one stands.

    :raises NotFoundError: if the page has no such heading.
    """
    heading = next((one for one in html.headings if _is(one, wanted)), None)
    found = _cut(html.parts, heading) if heading else None
    if heading is None or found is None:
        raise NotFoundError(f"there is no heading {wanted!r}")
    inner = html.headings[html.headings.index(heading) :]
    below = next((n for n, one in enumerate(inner) if n and one.level <= heading.level), len(inner))
    return replace(html, parts=found, headings=inner[:below])


def _is(heading: Heading, wanted: str) -> bool:
    return wanted == heading.anchor or page_key(wanted) == page_key(heading.name)


def _cut(parts: Sequence[str | Slot], heading: Heading) -> list[str | Slot] | None:
    kept: list[str | Slot] | None = None
    depth = 0
    for part in parts:
        if not isinstance(part, str):
            if kept is not None:
                kept.append(part)
            continue
        start = 0
        for tag in TAG.finditer(part):
            level = LEVEL.match(tag[0])
            if level and depth == 0 and kept is not None and int(level[1]) <= heading.level:
                return [*kept, part[start : tag.start()]]
            anchor = ANCHOR.search(tag[0]) if level and depth == 0 else None
            if kept is None and anchor and anchor[1] == heading.anchor:
                kept, start = [], tag.start()
            depth += _step(tag[0])
        if kept is not None:
            kept.append(part[start:])
    return kept


def _step(tag: str) -> int:
    """Return how a tag changes the depth of what follows."""
    name = NAME.match(tag)
    if not name or name[1].lower() in VOID:
        return 0
    return -1 if tag.startswith("</") else 1
