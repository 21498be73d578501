"""Macros that many open pages ask for at once: rendered for the first who asks, and given to all who see the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from gevent.event import Event

from portalfw.auth.principal import Principal
from portalfw.wiki.kept import Changes
from portalfw.wiki.views import Moved, PageView, Twin

Answer = PageView | Twin | Moved
MOST: Final = 256  # fragments that are kept
OK: Final = 200


class Faceless(Principal):
    """A viewer who tells its groups freely, and notes whether anything asked who exactly it is.

    What was made without asking looks the same to everybody with the same groups and limits.
    """

    def __init__(self, principal: Principal) -> None:
        """Stand for ``principal``."""
        shown = {name: getattr(principal, name) for name in ("groups", "guest", "apps", "readonly")}
        vars(self).update(shown, _principal=principal, asked=False)

    @property
    def name(self) -> str:
        """Tell the name."""
        vars(self)["asked"] = True
        return str(vars(self)["_principal"].name)

    @property
    def credential(self) -> str:
        """Tell by what it has been recognised."""
        vars(self)["asked"] = True
        return str(vars(self)["_principal"].credential)


@dataclass(frozen=True)
class _Kept:
    twin: Twin
    position: str


@dataclass
class _Rendering:
    position: str
    done: Event = field(default_factory=Event)


class Fragments:
    """Rendered macros by page, parameters and viewers.

    Who asks says up to which position of the stream of changes it has heard; what was begun to be rendered there or
    later shows all that it was told of.
    """

    def __init__(self, changes: Changes) -> None:
        """Ask ``changes`` for the position that rendering begins at."""
        self._changes = changes
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._rendering: dict[Hashable, _Rendering] = {}
        self._personal: OrderedDict[Hashable, None] = OrderedDict()

    def answer(self, what: Hashable, viewer: Principal, since: str, render: Callable[[Principal], Answer]) -> Answer:
        """Return what ``render`` makes for the viewer of ``what``, or has made for another who sees the same."""
        groups: Hashable = (what, viewer.groups, viewer.guest, viewer.apps, viewer.readonly)
        alone: Hashable = (groups, viewer.name, viewer.credential)
        while True:
            for key in (groups, alone):
                kept = self._kept.get(key)
                if kept is not None and _holds(kept.position, since):
                    self._kept.move_to_end(key)
                    return kept.twin
            key = alone if what in self._personal else groups
            running = self._rendering.get(key)
            if running is None or not _holds(running.position, since):
                return self._render(what, key, alone, viewer, render)
            running.done.wait()

    def _render(
        self, what: Hashable, key: Hashable, alone: Hashable, viewer: Principal, render: Callable[[Principal], Answer]
    ) -> Answer:
        running = self._rendering[key] = _Rendering(self._changes.position)
        faceless = Faceless(viewer)
        try:
            found = render(faceless)
            if isinstance(found, Twin) and found.status == OK:
                if vars(faceless)["asked"]:
                    _remember(self._personal, what, None)
                    _remember(self._kept, alone, _Kept(found, running.position))
                else:
                    _remember(self._kept, key, _Kept(found, running.position))
            elif isinstance(found, Twin):
                _remember(self._personal, what, None)  # whoever waits asks for himself
            return found
        finally:
            if self._rendering.get(key) is running:
                del self._rendering[key]
            running.done.set()


def _remember(kept: OrderedDict[Hashable, Any], key: Hashable, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MOST:
        kept.popitem(last=False)


def _holds(position: str, since: str) -> bool:
    """Tell whether ``position`` is ``since`` or later, in the same life of the same process."""
    life, _, count = position.partition("-")
    other, _, wanted = since.partition("-")
    return life == other and wanted.isdecimal() and int(count) >= int(wanted)
