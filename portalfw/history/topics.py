"""The topics by which open pages, search and editors hear of changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal
from urllib.parse import quote

from portalfw.events import Change, EventBus
from portalfw.history.names import is_page, name_of
from portalfw.wiki.address import page_id

PAGE: Final = "page"
LONGEST: Final = 120  # characters of a page's part of a topic


def publish(bus: EventBus, space: str, changed: Sequence[str], existing: Sequence[str]) -> None:
    """Tell this process that files of a space have changed; what it serves is new already."""
    for change in _changes(space, changed, frozenset(existing)):
        bus.publish(change)


def _changes(space: str, changed: Sequence[str], existing: frozenset[str]) -> Iterator[Change]:
    for path in changed:
        if is_page(path):
            name = name_of(path)
            operation: Literal["update", "delete"] = "update" if path in existing else "delete"
            row = {"space": space, "page": name, "path": path, "operation": operation}
            yield Change(PAGE, page_id(space, name), operation, row)
        else:
            yield Change(
                "space_file", f"{space}/{quote(path, safe='')[:LONGEST]}", "update", {"space": space, "path": path}
            )
