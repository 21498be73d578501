"""Points over time: the answers that charts understand, made few and told in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from portalfw.wiki.errors import MacroError

AT: Final = ("at", "time", "epoch", "date", "timestamp")
VALUE: Final = ("value", "v", "avg", "mean")
NAME: Final = ("label", "name", "id")
POINTS: Final = ("points", "values", "data", "series")
PAIR: Final = 2
MOST_SERIES: Final = 4  # as many colours as can be told apart
MOST_POINTS: Final = 600  # of a line; more cannot be seen


@dataclass(frozen=True)
class Line:
    """One line of a chart: points in order of time, epoch seconds and value (None where nothing is known)."""

    label: str
    points: Sequence[tuple[float, float | None]]
    unit: str = ""

    @property
    def known(self) -> list[float]:
        """The values that are known."""
        return [value for _, value in self.points if value is not None]


def lines_of(answer: Any, chosen: Mapping[str, str], label: str) -> list[Line]:
    """Return the lines in an answer.

    It is a list of points, ``{at, value}`` or ``[at, value]``; a list of ``{label, points}``, perhaps with a ``unit``;
    ``{label: points}``; or ``{time: [at], series: {label: [value]}}``. ``chosen`` names the fields of wide points,
    ``{at, cpu, memory}``, by label; ``label`` is that of a lone line.

    :raises MacroError: if it is none of these.
    """
    if isinstance(answer, Mapping):
        if isinstance(answer.get("time"), list) and isinstance(answer.get("series"), Mapping):
            columns = answer["series"].items()
            return [Line(str(name), _points(_paired(answer["time"], values), VALUE)) for name, values in columns]
        inner = next((answer[name] for name in POINTS if isinstance(answer.get(name), list)), None)
        if inner is None:
            return [Line(str(name), _points(rows, VALUE)) for name, rows in answer.items()]
        answer = inner
    if not isinstance(answer, list):
        raise MacroError("the answer has no points; they are [{at, value}], or a list of {label, points}")
    if chosen:
        return [Line(name, _points(answer, (field,))) for name, field in chosen.items()]
    if answer and isinstance(answer[0], Mapping) and any(isinstance(answer[0].get(name), list) for name in POINTS):
        return [_named(one) for one in answer]
    return [Line(label, _points(answer, VALUE))]


def _named(one: Any) -> Line:
    found = one if isinstance(one, Mapping) else {}
    label = next((str(found[name]) for name in NAME if found.get(name)), "Value")
    points = _points(next((found[name] for name in POINTS if name in found), None), VALUE)
    return Line(label, points, str(found.get("unit") or ""))


def _paired(times: list[Any], values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) != len(times):
        raise MacroError("each series needs as many values as there are times")
    return [list(pair) for pair in zip(times, values, strict=True)]


def _points(rows: Any, fields: Sequence[str]) -> list[tuple[float, float | None]]:
    if not isinstance(rows, list):
        raise MacroError("a line needs a list of points, [{at, value}]")
    return sorted((_point(row, fields) for row in rows), key=lambda point: point[0])


def _point(row: Any, fields: Sequence[str]) -> tuple[float, float | None]:
    if isinstance(row, Mapping):
        at = next((row[name] for name in AT if row.get(name) is not None), None)
        value = next((row[name] for name in fields if name in row), None)
    else:
        at, value = row if isinstance(row, list) and len(row) == PAIR else (None, None)
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        raise MacroError(f"a point's value is {str(value)[:40]!r}, which is no number")
    return _epoch(at), value


def _epoch(at: Any) -> float:
    if isinstance(at, (int, float)) and not isinstance(at, bool):
        return float(at)
    try:
        found = datetime.fromisoformat(str(at))
    except ValueError:
        raise MacroError(f"a point's time is {str(at)[:40]!r}; it is epoch seconds or ISO") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def fewer(lines: Sequence[Line], most: int = MOST_POINTS) -> list[Line]:
    """Return lines of at most ``most`` points, which keep their peaks and valleys."""
    return [
        line if len(line.points) <= most else replace(line, points=list(_peaks(line.points, most))) for line in lines
    ]


def _peaks(points: Sequence[tuple[float, float | None]], most: int) -> Iterator[tuple[float, float | None]]:
    size = max(2, -(-2 * len(points) // most))
    for start in range(0, len(points), size):
        some = points[start : start + size]
        known = [point for point in some if point[1] is not None]
        if not known:
            yield some[0]
            continue
        low, high = min(known, key=lambda point: point[1] or 0), max(known, key=lambda point: point[1] or 0)
        yield from sorted({low, high}, key=lambda point: point[0])


def aligned(lines: Sequence[Line]) -> tuple[list[float], list[list[float | None]]]:
    """Return the times of all lines, and each line's value at each of them."""
    times = sorted({at for line in lines for at, _ in line.points})
    return times, [[known.get(at) for at in times] for known in (dict(line.points) for line in lines)]
