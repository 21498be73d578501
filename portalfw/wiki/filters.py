"""The filters and tests of expressions: few, on plain data, and each bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import tests as jinja_tests
from jinja2.runtime import Undefined

from portalfw.wiki.bounds import checked, text
from portalfw.wiki.formats import FORMATS

MOST = 10_000


def _default(value: Any, other: Any = "") -> Any:
    return other if value is None or isinstance(value, Undefined) or value == "" else value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, Mapping)) else 0


def _list(value: Any) -> list[Any]:
    if value is None or isinstance(value, Undefined):
        return []
    return [value] if isinstance(value, (str, Mapping, int, float)) else list(value)[:MOST]


def _join(value: Any, separator: str = ", ", attribute: str | None = None) -> str:
    parts = [_field(row, attribute) if attribute else row for row in _list(value)]
    return checked(str(separator).join(text(part) for part in parts))


def _field(row: Any, name: str) -> Any:
    for part in name.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def _sort(value: Any, attribute: str | None = None, reverse: bool = False) -> list[Any]:
    def key(row: Any) -> tuple[bool, float, str]:
        part = _field(row, attribute) if attribute else row
        is_number = isinstance(part, (int, float))
        return not is_number, float(part) if is_number else 0.0, "" if is_number else str(part)[:1000]

    return sorted(_list(value), key=key, reverse=bool(reverse))


def _where(value: Any, attribute: str, wanted: Any = True) -> list[Any]:
    return [row for row in _list(value) if _field(row, attribute) == wanted]


def _map(value: Any, attribute: str) -> list[Any]:
    return [_field(row, attribute) for row in _list(value)]


def _sum(value: Any, attribute: str | None = None) -> float:
    parts = [_field(row, attribute) if attribute else row for row in _list(value)]
    return sum(part for part in parts if isinstance(part, (int, float)))


def _first(value: Any) -> Any:
    rows = _list(value)
    return rows[0] if rows else None


def _last(value: Any) -> Any:
    rows = _list(value)
    return rows[-1] if rows else None


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return list(value.items())[:MOST] if isinstance(value, Mapping) else []


def _int(value: Any, default: int = 0) -> int:
    try:
        return int(str(value)[:30].partition(".")[0])
    except ValueError:
        return default


def _round(value: Any, digits: int = 0) -> float:
    return round(float(value), min(int(digits), 10)) if digits else round(float(value))


def _plural(count: Any, one: str, many: str | None = None) -> str:
    number = _length(count) if isinstance(count, (list, Mapping)) else _int(count)
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _truncate(value: Any, length: int = 80) -> str:
    shown = text(value)
    return shown if len(shown) <= length else shown[: max(0, length - 1)] + "…"


FILTERS: Mapping[str, Any] = {
    **FORMATS,
    "default": _default,
    "length": _length,
    "list": _list,
    "join": _join,
    "sort": _sort,
    "where": _where,
    "map": _map,
    "sum": _sum,
    "first": _first,
    "last": _last,
    "items": _items,
    "int": _int,
    "round": _round,
    "plural": _plural,
    "truncate": _truncate,
    "upper": lambda value: text(value).upper(),
    "lower": lambda value: text(value).lower(),
    "title": lambda value: text(value).title(),
    "trim": lambda value: text(value).strip(),
}
TESTS: Mapping[str, Any] = {
    name: jinja_tests.TESTS[name]
    for name in ("defined", "undefined", "none", "number", "string", "mapping", "sequence", "in")
}
