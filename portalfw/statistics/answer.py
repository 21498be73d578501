"""Series as methods answer them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypedDict

from agent.protocol import NAME
from portalfw.errors import InvalidError
from portalfw.statistics.catalogue import figure
from portalfw.statistics.series import Points, Thing, Value, busiest, series, span

MOST_SERIES: Final = 20


class SeriesRow(TypedDict):
    """One figure over time."""

    figure: str
    label: str
    unit: str  # %, B, B/s, /s, °C, or empty
    points: list[list[float | None]]  # [epoch seconds, value]; without value where a gap begins


class Statistics(TypedDict):
    """Figures over a span of time, in points of ``step`` seconds, each at the beginning of its step."""

    start: float
    end: float
    step: int
    series: list[SeriesRow]


def statistics(
    thing: Thing, names: Sequence[str], begin: float | None, end: float | None, value: Value = "mean"
) -> Statistics:
    """Return figures of a thing between two times, the last hour's if none are given.

    :raises InvalidError: for a name that no figure can have, too many of them, or a span that ends before it begins.
    """
    for name in names:
        _check_name(name)
    if not 1 <= len(names) <= MOST_SERIES:
        raise InvalidError(f"Name 1 to {MOST_SERIES} figures.", detail={"argument": "figures"})
    over = span(begin, end)
    found = series(thing, names, over, value)
    rows = [_row(thing.kind, name, points) for name, points in found.items()]
    return {"start": over.begin, "end": over.end, "step": over.level.step, "series": rows}


def busiest_nodes(
    name: str, count: int, labels: Mapping[int, str], begin: float | None, end: float | None
) -> Statistics:
    """Return one figure of the nodes that have most of it now, each as a series under its label.

    :raises InvalidError: as :func:`statistics`.
    """
    _check_name(name)
    over = span(begin, end)
    rows: list[SeriesRow] = []
    for node in busiest(name, min(count, MOST_SERIES)):
        found = _row("node", name, series(Thing("node", "", node), [name], over)[name])
        rows.append({**found, "label": labels.get(node, f"node {node}")})
    return {"start": over.begin, "end": over.end, "step": over.level.step, "series": rows}


def _check_name(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise InvalidError(f"No figure can be called {name[:40]!r}.", detail={"argument": "figures"})


def _row(kind: str, name: str, points: Points) -> SeriesRow:
    known = figure(kind, name)
    return {"figure": name, "label": known.label, "unit": known.unit, "points": [[at, value] for at, value in points]}
