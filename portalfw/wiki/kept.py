"""What macros that say so (``@macro(cache=seconds)``) showed a viewer, until that changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from portalfw.wiki.block import Block

if TYPE_CHECKING:
    from portalfw.wiki.context import MacroContext
    from portalfw.wiki.macro import Macro


class Changes(Protocol):
    """The part of the event bus that tells whether something changed."""

    @property
    def position(self) -> str:
        """Where the stream of changes is now."""

    def missed(self, position: str, topics: Collection[str]) -> set[str]:
        """Return which of ``topics`` have changed since ``position``."""


@dataclass(frozen=True)
class _Entry:
    block: Block
    until: float  # of time.monotonic
    position: str


class KeptBlocks:
    """Blocks by macro, arguments, space and viewer; the oldest make room.

    What a macro takes from its page's address or ``data:`` is not among that, so a block that was made of such is not
    kept.
    """

    def __init__(self, most: int, changes: Changes | None) -> None:
        """Keep at most ``most`` blocks; without ``changes`` none that depends on a topic."""
        self._most = most
        self._changes = changes
        self._entries: OrderedDict[tuple[Any, ...], _Entry] = OrderedDict()

    def answer(self, macro: Macro, context: MacroContext, arguments: Mapping[str, Any]) -> Block | Any:
        """Return the kept block of a call if it still holds, else call the macro."""
        if not macro.cache:
            return macro.function(context, **arguments)
        key = _key(macro, context, arguments)
        entry = self._entries.get(key)
        if entry and entry.until > time.monotonic() and not self._changed(entry):
            self._entries.move_to_end(key)
            return entry.block
        position = self._changes.position if self._changes else ""
        block = macro.function(context, **arguments)
        if isinstance(block, Block) and not context.tied:
            whole = replace(block, topics=block.topics | context.topics)
            self._keep(key, _Entry(whole, time.monotonic() + macro.cache, position))
        return block

    def _changed(self, entry: _Entry) -> bool:
        if self._changes is None:
            return bool(entry.block.topics)
        return bool(self._changes.missed(entry.position, entry.block.topics)) if entry.block.topics else False

    def _keep(self, key: tuple[Any, ...], entry: _Entry) -> None:
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)


def _key(macro: Macro, context: MacroContext, arguments: Mapping[str, Any]) -> tuple[Any, ...]:
    words = orjson.dumps(arguments, default=repr, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    one = context.principal
    viewer = one.name, one.groups, one.guest, one.apps, one.readonly
    return macro.name, words, context.space, context.call_key, viewer
