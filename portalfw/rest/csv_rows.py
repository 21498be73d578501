"""The rows of a list as comma-separated values, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet run a text


def as_csv(rows: Iterable[Any]) -> bytes:
    """Return ``rows`` with a line of names first; lists and objects in a cell are JSON.

    Texts that a spreadsheet would take for a formula get an apostrophe before them: users choose names.
    """
    found = [row if isinstance(row, Mapping) else {"value": row} for row in rows]
    names = list(dict.fromkeys(name for row in found for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in found)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
