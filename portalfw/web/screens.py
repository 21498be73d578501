"""What open pages show of macros that refresh themselves, so that the word of a change can bring along what it changed.

A page gives itself a name, and says it when it opens its stream of events and whenever it asks for a macro. What it
asked for last is what it shows: the stream renders just that again, for its viewer and by his rights as they are then.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import orjson

from portalfw.auth.principal import Principal
from portalfw.errors import PortalError
from portalfw.web.compression import packed_once
from portalfw.wiki import Moved, PageView, Twin
from portalfw.wiki.render import LATE

NAME: Final = re.compile(r"[0-9a-f]{32}")
MOST: Final = 50  # macros of one page
WRAPPER: Final = re.compile(rb'id="([^"]+)" data-version="(\w+)" data-topics="([^"]*)"')
BEGINNING: Final = 1000  # bytes of a macro in which all that stands
OK: Final = 200

View = Callable[[Principal, str, Mapping[str, str], str], PageView | Twin | Moved]
"""Answers for a viewer what an address with parameters shows, no older than a position of the stream of changes."""


@dataclass
class Shown:
    """A macro as one page shows it: by which address, in which version if that is sure, and what it depends on."""

    path: str
    params: Mapping[str, str]
    version: bytes
    topics: frozenset[str]


@dataclass
class Screen:
    """One open page: whose it is, and what it shows by the element's id."""

    owner: tuple[str, str]
    shown: dict[str, Shown] = field(default_factory=dict)
    streams: int = 0
    newest: object = None  # of its streams, which alone brings anything: others go nowhere by now


class Screens:
    """The open pages of this process. A page that another process knows asks for its macros itself."""

    def __init__(self, view: View) -> None:
        """Render by ``view``."""
        self._view = view
        self._screens: dict[str, Screen] = {}

    def open(self, name: str, viewer: Principal, stream: object) -> Screen:
        """Return the page of this name whose ``stream`` begins; a nameless one if the name is no good.

        What its stream before has sent last may never have come.
        """
        screen = self._screens.get(name)
        if screen is None or screen.owner != _owner(viewer):
            screen = Screen(_owner(viewer))
            if NAME.fullmatch(name) and name not in self._screens:
                self._screens[name] = screen
        screen.streams += 1
        screen.newest = stream
        for shown in screen.shown.values():
            shown.version = b""
        return screen

    def close(self, name: str, screen: Screen) -> None:
        """Forget a page when its last stream has ended."""
        screen.streams -= 1
        if not screen.streams and self._screens.get(name) is screen:
            del self._screens[name]

    def note(self, name: str, viewer: Principal, path: str, params: Mapping[str, str], given: Twin) -> None:
        """Note that a page now shows a macro as it has been ``given``."""
        screen = self._screens.get(name)
        found = WRAPPER.search(given.body, 0, BEGINNING)
        if screen is None or screen.owner != _owner(viewer) or found is None or given.status != OK or LATE in params:
            return
        element, version, topics = found.groups()
        if element.decode() in screen.shown or len(screen.shown) < MOST:
            screen.shown[element.decode()] = Shown(path, params, version, frozenset(topics.decode().split()))

    def news(
        self, screen: Screen, stream: object, viewer: Principal, position: str, topics: Collection[str]
    ) -> Iterator[tuple[str, bytes]]:
        """Yield what a page need not ask for: an id, and the event that brings it, empty if it is as before.

        Nothing more once the page has opened another stream, which may be while something is rendered here.
        """
        if screen.newest is not stream:
            return
        names = {*topics, *(topic.partition(":")[0] for topic in topics)}
        for element, shown in list(screen.shown.items()):
            if shown.topics.isdisjoint(names):
                continue
            fresh = self._fresh(shown, viewer, position)
            if screen.newest is not stream:
                return
            found = WRAPPER.search(fresh.body, 0, BEGINNING) if fresh else None
            if fresh is None or found is None or found[1].decode() != element:
                del screen.shown[element]  # the page asks itself, and is told why it is no more
            elif found[2] == shown.version:
                yield element, b""
            else:
                shown.version, shown.topics = found[2], frozenset(found[3].decode().split())
                yield element, _event(element, fresh.body)

    def _fresh(self, shown: Shown, viewer: Principal, position: str) -> Twin | None:
        try:
            found = self._view(viewer, shown.path, shown.params, position)
        except PortalError:
            return None
        return found if isinstance(found, Twin) and found.status == OK else None


def _owner(viewer: Principal) -> tuple[str, str]:
    return viewer.name, viewer.credential


@lru_cache(maxsize=64)
def _event(element: str, body: bytes) -> bytes:
    """Return the event that brings a macro; many pages are sent the same."""
    data = {"id": element, "gzip": base64.b64encode(packed_once(body)).decode()}
    return b"event: macro\ndata: %b\n\n" % orjson.dumps(data)
