"""Macros that a page did not wait for: they run on until the browser asks for them alone."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import gevent
from gevent import Greenlet

if TYPE_CHECKING:
    from portalfw.wiki.block import Block
    from portalfw.wiki.context import Place
    from portalfw.wiki.record import PlacedCall

    Running = Greenlet[..., Block]


class LateCalls:
    """Running calls by viewer, page and call. Another process, or one that was restarted, runs the call anew."""

    def __init__(self, most: int, patience: float) -> None:
        """Keep at most ``most``, each for ``patience`` seconds."""
        self._most = most
        self._patience = patience
        self._running: OrderedDict[tuple[Any, ...], Running] = OrderedDict()

    def keep(self, call: PlacedCall, place: Place, running: Running) -> None:
        """Let a call run on until it is taken; nobody waits for one that is not."""
        key = _key(call, place)
        before = self._running.pop(key, None)
        if before is not None:
            before.kill(block=False)
        self._running[key] = running
        gevent.spawn_later(self._patience, self._drop, key, running)
        while len(self._running) > self._most:
            self._running.popitem(last=False)[1].kill(block=False)

    def take(self, call: PlacedCall, place: Place) -> Running | None:
        """Return the call if it runs here."""
        return self._running.pop(_key(call, place), None)

    def _drop(self, key: tuple[Any, ...], running: Running) -> None:
        if self._running.get(key) is running:
            del self._running[key]
            running.kill(block=False)


def _key(call: PlacedCall, place: Place) -> tuple[Any, ...]:
    page = place.page
    return place.principal, page.space, page.name, page.modified, frozenset(place.params.items()), call.key
