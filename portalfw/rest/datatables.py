"""The server-side protocol of DataTables (1.10 and later): what its requests ask of a list, and how it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from portalfw.errors import InvalidError
from portalfw.rest.listing import Gathered, Page

MOST_COLUMNS: Final = 200
_BRACKETS: Final = re.compile(r"^(columns|order)\[(\d{1,3})]\[(\w+)](?:\[(\w+)])?$")


def asks(given: Mapping[str, Any]) -> bool:
    """Tell whether a request comes from DataTables."""
    return "draw" in given


def arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a list method for what DataTables asks; its own ones pass.

    :raises InvalidError: if the request is none of DataTables.
    """
    kept = {name: value for name, value in given.items() if not _own(name)}
    columns, orders = _parts(given, "columns"), _parts(given, "order")
    wishes = {
        str(column.get("data")): column["search"]["value"]
        for column in columns.values()
        if isinstance(column.get("search"), Mapping) and column["search"].get("value") not in (None, "")
    }
    # A list hands out all rows for 0, which DataTables calls -1.
    found = {"offset": given.get("start", 0), "limit": max(0, _number(given, "length", 0))}
    if orders:
        found["sort"] = ",".join(_order(order, columns) for _, order in sorted(orders.items()))
    text = given.get("search[value]") or (given["search"].get("value") if _is_object(given.get("search")) else "")
    already = kept.get("filter") if isinstance(kept.get("filter"), Mapping) else {}
    return kept | found | {"search": text or "", "filter": {**(already or {}), **wishes} or None}


def envelope(draw: Any, answer: Page[Any]) -> dict[str, Any]:
    """Return a page of rows as DataTables expects it; ``draw`` is answered as a number, never as it came."""
    return {
        "draw": _number({"draw": draw}, "draw", 0),
        "recordsTotal": answer.everything,
        "recordsFiltered": answer.matching,
        "data": answer,
    }


def _own(name: str) -> bool:
    return name in {"draw", "start", "length", "search", "order", "columns", "_", *Gathered.NAMES} - {"filter"} or bool(
        re.match(r"^(columns|order|search)\[", name)
    )


def _parts(given: Mapping[str, Any], name: str) -> dict[int, dict[str, Any]]:
    """Read ``columns[0][data]`` of a form, or the nested lists of a JSON body."""
    nested = given.get(name)
    if isinstance(nested, list):
        return {number: dict(part) for number, part in enumerate(nested[:MOST_COLUMNS]) if _is_object(part)}
    found: dict[int, dict[str, Any]] = {}
    for key, value in given.items():
        match = _BRACKETS.match(key)
        if match and match[1] == name and int(match[2]) < MOST_COLUMNS:
            part = found.setdefault(int(match[2]), {})
            if match[4]:
                part.setdefault(match[3], {})[match[4]] = value
            else:
                part[match[3]] = value
    return found


def _order(order: Mapping[str, Any], columns: Mapping[int, Mapping[str, Any]]) -> str:
    number = _number(order, "column", -1)
    if number not in columns:
        raise InvalidError(f"order names column {number}, which columns does not have.", detail={"argument": "order"})
    name = str(columns[number].get("data"))
    return f"-{name}" if str(order.get("dir", "asc")).lower() == "desc" else name


def _number(given: Mapping[str, Any], name: str, default: int) -> int:
    try:
        return int(given.get(name, default))
    except (TypeError, ValueError) as error:
        raise InvalidError(f"Argument {name} must be a whole number.", detail={"argument": name}) from error


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)
