"""Charts: numbers over time as lines, one number as a gauge."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from macros.series import MOST_SERIES, Line, aligned, fewer, lines_of
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.errors import MacroArgumentError, MacroError
from portalfw.wiki.formats import size

if TYPE_CHECKING:
    from portalfw.rest.declaration import Method

RANGES: Final = {"1h": 3600, "24h": 86400, "7d": 7 * 86400}
PAIRS: Final = (
    ("from", "to"),
    ("from", "till"),
    ("start", "end"),
    ("start", "stop"),
    ("since", "until"),
    ("begin", "end"),
)
ALONE: Final = ("since", "start", "from")
STATIC: Final = 640, 148  # the size that the lines are drawn in before the script has made a chart of them
SIZES: Final = {"bytes": "B", "kib": "KiB", "mib": "MiB"}
UNITS: Final = {"B": ("", "bytes"), "B/s": ("/s", "bytes"), "%": ("%", "percent")}  # how a method's units are shown
PAIR: Final = 2
EACH: Final = 360  # points that a range has about; more would show nothing new
ROWS: Final = 24  # of the table that says the same in numbers


@macro
def chart(
    ctx: MacroContext,
    api: Address | None = None,
    data: str | list[Any] | dict[str, Any] | None = None,
    args: dict[str, Any] | None = None,
    series: dict[str, str] | None = None,
    title: str | None = None,
    unit: str | None = None,
    format: Literal["number", "percent", "bytes", "kib", "mib"] | None = None,  # noqa: A002 - as columns call it
    low: float | None = None,
    high: float | None = None,
    ranges: list[str] | None = None,
    range: str | None = None,  # noqa: A002 - authors call it so
    every: int | None = None,
    small: bool = False,
    empty: str = "No values in this time",
) -> Block:
    """Chart of points over time, of a method or of an entry of the page's ``data:``; drag over it to zoom.

    api: a method that answers ``[{at, value}]``, a list of ``{label, points}``, ``{label: points}``, or
    ``{time: [at], series: {label: [value]}}``.
    args: its arguments by wire name.
    data: instead of api, the name of an entry of ``data:``, or the points.
    series: for points with several values, lines of ``Label: field``; four at most are shown.
    title: above the chart. unit: behind the values. format: number, percent, bytes, kib or mib. Without both, as the
    method says.
    low: lower end of the scale. high: upper end.
    ranges: what the viewer may choose, where the method takes a time range (from and to, start and end, since).
    range: the one chosen at first, 1h; ``page`` is what the page's ``ranges`` say.
    every: seconds after which the numbers are asked for anew. small: a lower chart. empty: said where there is nothing.
    """
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    chosen, choices, span = _range(ctx, api, ranges, range)
    shown = [*span.values()]
    answer = ctx.call(api, **{**span, **(args or {})}) if api else ctx.data(data) if isinstance(data, str) else data
    lines = fewer(lines_of(answer, series or {}, title or "Value"))
    left = max(0, len(lines) - MOST_SERIES)
    told = _Told(lines[:MOST_SERIES], *_words(lines, unit, format), low, high, shown if len(shown) == PAIR else None)
    return ctx.render(
        "chart.html", title=title, told=told, ranges=choices, range=chosen, left=left, small=small, empty=empty,
        every=every or (_every(chosen) if chosen else None),
    )  # fmt: skip


@macro
def ranges(ctx: MacroContext, offered: list[str] | None = None, title: str | None = None) -> Block:
    """Links that choose the time which all charts of the page show that say ``range: page``.

    offered: such as 1h, 24h or 7d; the first is shown until another is chosen. title: before them.
    """
    _check_ranges(offered or [])
    chosen = _of_page(ctx)
    every = offered or [*RANGES, "30d"]
    links = [{"label": one, "href": ctx.here(range=one), "current": one == chosen} for one in every]
    return ctx.render("ranges.html", title=title, ranges=links)


@macro
def gauge(
    ctx: MacroContext,
    value: float | None = None,
    api: Address | None = None,
    args: dict[str, Any] | None = None,
    field: str | None = None,
    label: str = "",
    unit: str = "",
    low: float = 0,
    high: float = 100,
    warn: float = 80,
    bad: float = 92,
) -> Block:
    """Half a ring that shows how full something is.

    value: the number; or api: a method that answers it, with args, or an object or list of points that has it.
    field: of the object. label: below the number. unit: behind it.
    low, high: where the ring begins and ends. warn, bad: percent of the way from which it is amber, and red.
    """
    if (api is None) == (value is None):
        raise MacroError("give either value: or api:")
    if high <= low:
        raise MacroArgumentError("high must be more than low")
    number = _number(ctx.call(api, **(args or {})), field) if api else value
    if number is None:
        return ctx.render("gauge.html", label=label, text="–", share=None, part="", look="")
    share = min(1.0, max(0.0, (number - low) / (high - low)))
    look = "bad" if 100 * share >= bad else "warn" if 100 * share >= warn else ""
    text = _shown(number, unit, "number")
    return ctx.render(
        "gauge.html", label=label, text=text, share=round(share * 100), part=_arc(share), look=look, low=low, high=high,
        value=number,
    )  # fmt: skip


class _Told:
    """What a chart tells: as data for the script, as lines, as words and as a table."""

    def __init__(
        self,
        lines: Sequence[Line],
        unit: str,
        form: str,
        low: float | None,
        high: float | None,
        span: Sequence[float] | None,
    ) -> None:
        self.lines, self.unit, self.form, self.span = lines, unit, form, span
        self.low, self.high = low, 100.0 if high is None and form == "percent" else high
        self.times, self.values = aligned(lines)

    @property
    def json(self) -> str:
        told = {"series": [line.label for line in self.lines], "times": self.times, "values": self.values}
        look = {"unit": self.unit, "format": self.form, "low": self.low, "high": self.high, "span": self.span}
        return orjson.dumps({**told, **look}).decode()

    @property
    def now(self) -> list[str]:
        """The last known value of each line."""
        return [_shown(line.known[-1], self.unit, self.form) if line.known else "–" for line in self.lines]

    @property
    def words(self) -> str:
        """The whole chart in a sentence."""
        return ". ".join(self._sentence(line) for line in self.lines if line.known) or "No values"

    def _sentence(self, line: Line) -> str:
        known = line.known
        least, most, last = (_shown(value, self.unit, self.form) for value in (min(known), max(known), known[-1]))
        return f"{line.label}: {least} to {most}, at last {last}"

    @property
    def table(self) -> list[dict[str, Any]]:
        step = max(1, -(-len(self.times) // ROWS))
        return [
            {"at": at, "values": [_shown(line[n * step], self.unit, self.form) for line in self.values]}
            for n, at in enumerate(self.times[::step])
        ]

    @property
    def size(self) -> str:
        return f"0 0 {STATIC[0]} {STATIC[1]}"

    @property
    def drawn(self) -> list[str]:
        """Each line as points of a polyline."""
        known = [value for line in self.lines for value in line.known]
        if len(self.times) < 2 or not known:  # noqa: PLR2004 - one point makes no line
            return []
        low = self.low if self.low is not None else min(0.0, *known) if len(known) > 1 else min(0.0, known[0])
        high = self.high if self.high is not None else max(known) * 1.1
        begin, end = self.span or (self.times[0], self.times[-1])
        wide, tall = (end - begin) or 1, (high - low) or 1
        return [
            " ".join(
                f"{STATIC[0] * (at - begin) / wide:.1f},{STATIC[1] * (1 - (value - low) / tall):.1f}"
                for at, value in line.points
                if value is not None
            )
            for line in self.lines
        ]


def _shown(value: float | None, unit: str, form: str) -> str:
    if value is None:
        return "–"
    if form in SIZES:
        return f"{size(value, SIZES[form])}{unit}"
    number = f"{value:,.{1 if form == 'percent' else 2}f}".rstrip("0").rstrip(".")
    return f"{number}\u00a0{unit}" if unit else number


def _number(answer: Any, field: str | None) -> float | None:
    if isinstance(answer, list) or (isinstance(answer, Mapping) and "series" in answer):
        known = lines_of(answer, {field: field} if field else {}, "")[0].known if answer else []
        return known[-1] if known else None
    found = answer.get(field or "value") if isinstance(answer, Mapping) else answer
    if found is None or (isinstance(found, (int, float)) and not isinstance(found, bool)):
        return found
    raise MacroError(f"the answer {str(found)[:40]!r} is no number; field: names the one that is meant")


def _arc(share: float) -> str:
    """Return the path of the part of the half ring that is filled."""
    angle = math.pi * (1 - max(share, 0.002))
    return f"M8 64A56 56 0 0 1 {64 + 56 * math.cos(angle):.2f} {64 - 56 * math.sin(angle):.2f}"


def _words(lines: Sequence[Line], unit: str | None, form: str | None) -> tuple[str, str]:
    """Return unit and format of the values: the author's, else those that all lines share."""
    shared = {line.unit for line in lines}
    if unit is None and form is None and len(shared) == 1:
        own = shared.pop()
        return UNITS.get(own, (own, "number"))
    return "%" if form == "percent" else unit or "", form or "number"


def _every(chosen: str) -> int:
    """Return the seconds after which a range has a new point to show."""
    return max(10, (_seconds(chosen) or 0) // EACH)


def _of_page(ctx: MacroContext) -> str:
    """Return the range that the page shows."""
    asked = ctx.params.get("range", "")
    return asked if _seconds(asked) else next(iter(RANGES))


def _check_ranges(names: Sequence[str]) -> None:
    wrong = next((one for one in names if _seconds(one) is None), None)
    if wrong is not None:
        raise MacroArgumentError(f"a range looks like 1h, 24h or 7d, not {wrong!r}")


def _range(
    ctx: MacroContext, api: str | None, ranges: list[str] | None, first: str | None
) -> tuple[str | None, list[dict[str, Any]], dict[str, Any]]:
    """Return the chosen range, the links to all, and the arguments that ask the method for it."""
    names = _time_arguments(ctx.describe(api)) if api else ()
    if not names:
        return None, [], {}
    now = time.time()
    if first == "page":
        page = _of_page(ctx)
        return page, [], dict(zip(names, (now - (_seconds(page) or 0), now), strict=False))
    offered = ranges or list(RANGES)
    _check_ranges([*offered, *([first] if first else [])])
    key = f"range-{ctx.key}"
    asked = ctx.params.get(key, "")
    chosen = asked if asked in offered else first or offered[0]
    span = dict(zip(names, (now - (_seconds(chosen) or 0), now), strict=False))
    links = [{"label": one, "href": ctx.here(**{key: one}), "current": one == chosen} for one in offered]
    return chosen, links, span


def _time_arguments(method: Method) -> tuple[str, ...]:
    """Return the wire names by which a method takes the beginning, and maybe the end, of a time range."""
    taken = {argument.wire for argument in method.arguments if argument.type_name in {"int", "float"}}
    pair = next((pair for pair in PAIRS if taken >= set(pair)), None)
    return pair or next(((name,) for name in ALONE if name in taken), ())


def _seconds(words: str) -> int | None:
    unit = {"m": 60, "h": 3600, "d": 86400}.get(words[-1:])
    return int(words[:-1]) * unit if unit and words[:-1].isdecimal() and len(words) < 6 else None  # noqa: PLR2004
