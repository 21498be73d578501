"""What a page's expressions and macro calls leave behind while its text is produced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from portalfw.wiki.bounds import Budget, text
from portalfw.wiki.calls import MacroCall
from portalfw.wiki.expressions import SECRET, Placed, Text
from portalfw.wiki.formats import Shape

UNKNOWN = Markup('<span class="mute" title="{} is not known here">–</span>')


@dataclass(frozen=True)
class PlacedValue:
    """A printed value: as HTML for the text, raw for attributes and addresses."""

    raw: str
    html: Markup


@dataclass(frozen=True)
class PlacedCall:
    """A macro call with the values of its arguments, ready to run."""

    key: str
    call: MacroCall
    named: Mapping[str, Any] = field(default_factory=dict)
    positional: Sequence[Any] = ()
    body: Any = None
    reads: frozenset[str] = frozenset()  # the page's variables among its arguments


class Recorder:
    """Hands out placeholders for the values and macro calls of one rendering, in order."""

    for_pages = True

    def __init__(self, text_: Text, show: Callable[[Shape], Markup], *, prefix: str, steps: int) -> None:
        """Begin empty; ``show`` draws shapes, ``prefix`` keeps the keys of several texts of a page apart."""
        self.segments = text_.segments
        self.reads = text_.call_names
        self.numbers = text_.numbers
        self._show = show
        self.prefix = prefix
        self.budget = Budget(steps)
        self.values: list[PlacedValue] = []
        self.calls: list[PlacedCall] = []
        self._times: dict[int, int] = {}

    def value(self, value: Any) -> Placed:
        """Keep a printed value."""
        if isinstance(value, Undefined):
            name = getattr(value, "_undefined_name", None)
            self.values.append(PlacedValue("", UNKNOWN.format(name or "this")))
        elif isinstance(value, Shape):
            self.values.append(PlacedValue(value.raw, self._show(value)))
        else:
            raw = text(value)
            self.values.append(PlacedValue(raw, escape(raw)))
        return Placed(f"{SECRET}v{len(self.values) - 1}z")

    def __call__(self, index: int, named: dict[str, Any], positional: list[Any], body: Any) -> Placed:
        """Keep a macro call."""
        call = self.segments[index]
        if not isinstance(call, MacroCall):
            raise TypeError(f"segment {index} is no macro call")
        times = self._times[index] = self._times.get(index, -1) + 1
        key = f"{self.prefix}{call.name}-{self.numbers[index]}" + (f"-{times}" if times else "")
        self.calls.append(PlacedCall(key, call, named, positional, body, self.reads.get(index, frozenset())))
        return Placed(f"{SECRET}c{len(self.calls) - 1}z")
