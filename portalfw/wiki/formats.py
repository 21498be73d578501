"""How values are shown: states, sizes, times. Used as ``${value | format}`` and in columns, ``field | format``.

A format turns a plain value into a :class:`Shape`, which the template ``value.html`` draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SPACE = "\N{NO-BREAK SPACE}"
DAY = 86_400
MILLISECONDS_FROM = 10**11  # an epoch above this counts milliseconds (in seconds it would be the year 5138)


class Shape(dict[str, Any]):
    """What a cell, a fact or a word in a text shows: ``text``, ``state``, ``at``, ``meter`` or ``items``, and how."""

    @property
    def raw(self) -> str:
        """The shape as plain text, for attributes and addresses."""
        return next((str(self[key]) for key in ("text", "state", "at", "meter") if self.get(key) is not None), "")


def size(amount: float, unit: str) -> str:
    """Return an amount of bytes, MiB or GiB in the largest unit that keeps it at 1 or more."""
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    place = units.index(unit)
    number = float(amount)
    while abs(number) >= 1024 and place < len(units) - 1:  # noqa: PLR2004 - the step between the units
        number, place = number / 1024, place + 1
    whole = number == int(number) or abs(number) >= 100  # noqa: PLR2004 - three figures are enough
    return f"{number:,.0f}{SPACE}{units[place]}" if whole else f"{number:,.1f}{SPACE}{units[place]}"


def duration(seconds: float) -> str:
    """Return a span of time in the unit that fits it."""
    seconds = abs(float(seconds))
    if seconds < 1:
        return f"{seconds * 1000:.0f}{SPACE}ms"
    if seconds < 10:  # noqa: PLR2004 - one decimal below ten
        return f"{seconds:.1f}".removesuffix(".0") + f"{SPACE}s"
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (36 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f}{SPACE}{name}"
    return f"{seconds / DAY:.0f}{SPACE}d"


def known(value: Any) -> bool:
    """Tell whether there is something to show."""
    return value is not None and not (isinstance(value, (str, list, dict)) and len(value) == 0)


def plain(value: Any) -> Any:
    """Return what ``value.html`` shows of any plain value."""
    if not known(value):
        return Shape(text=None)
    if isinstance(value, list):
        return Shape(items=[plain(part) for part in value])
    if isinstance(value, Shape) or not isinstance(value, dict):
        return value
    return Shape(text=", ".join(f"{key}: {part}" for key, part in value.items()))


def _text(value: Any) -> Shape:
    shown = plain(value)
    return shown if isinstance(shown, Shape) else Shape(text=shown)


def _counted(words: Callable[[float], str]) -> Callable[[Any], Shape]:
    """Show a number in words, sorted by the number; what is no number stays as it is."""

    def shape(value: Any) -> Shape:
        try:
            number = float(value)
            return Shape(text=words(number), sort=number)
        except (TypeError, ValueError, OverflowError):
            return _text(value)

    return shape


def _time(value: Any) -> Shape:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return _text(value)
    return Shape(at=value / 1000 if value > MILLISECONDS_FROM else value)


def _meter(value: Any) -> Shape:
    return Shape(meter=value) if isinstance(value, (int, float)) else _text(value)


def _state(value: Any, **look: str) -> Shape:
    return Shape(state=value, **look) if known(value) else Shape(text=None)


def _every(value: Any) -> Shape:
    """Show an interval in seconds, as a number or its digits, in words; a cron expression as it is."""
    try:
        return Shape(text=f"every {duration(float(value))}", sort=float(value))
    except (TypeError, ValueError, OverflowError):
        return Shape(_text(value), mono=True)


FORMATS: Mapping[str, Callable[[Any], Shape]] = {
    "text": _text,
    "state": _state,
    "job": lambda value: _state(value, kind="job"),
    "node": lambda value: _state(value, kind="node"),
    "mono": lambda value: Shape(_text(value), mono=True),
    "copy": lambda value: Shape(_text(value), mono=True, copy=True),
    "time": _time,
    "meter": _meter,
    "bytes": _counted(lambda number: size(number, "B")),
    "mib": _counted(lambda number: size(number, "MiB")),
    "gib": _counted(lambda number: size(number, "GiB")),
    "duration": _counted(duration),
    "every": _every,
    "number": _counted(lambda number: f"{number:,.2f}".rstrip("0").rstrip(".")),
    "percent": _counted(lambda number: f"{number:.0f}{SPACE}%"),
}
NUMERIC = frozenset({"bytes", "mib", "gib", "duration", "number", "percent"})


def shaped(value: Any, name: str = "text") -> Shape:
    """Return a value in the format called ``name``.

    :raises ValueError: if there is no such format.
    """
    try:
        return FORMATS[name](value)
    except KeyError:
        raise ValueError(f"there is no format {name!r}; there are {', '.join(FORMATS)}") from None
