"""What lies between any two of some things: one row and one column for each of them."""

from __future__ import annotations

from typing import Any, Final

from macros.columns import read_columns
from macros.tiles import BAD, WARN
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.address import field_of
from portalfw.wiki.errors import MacroError
from portalfw.wiki.formats import Shape

LOOKS: Final = {"bad": BAD, "warn": WARN, "busy": frozenset({"RUNNING"})}
Key = tuple[str, str]


@macro
def matrix(
    ctx: MacroContext,
    row: str,
    column: str,
    value: str,
    api: Address | None = None,
    data: str | list[dict[str, Any]] | None = None,
    args: dict[str, Any] | None = None,
    state: str | None = None,
    note: str | None = None,
    title: str | None = None,
    corner: str = "",
    empty: str = "Nothing here yet",
    hint: str | None = None,
) -> Block:
    """Show a list method's rows as a matrix: each row of the list is one cell; those that are well have no colour.

    row, column: ``field -> Page?id={id}`` of the list that names a cell's row and column; value: ``field | format``.
    state: field of its state, which colours the cell. note: field that is shown when one points at it.
    title: above; corner: words in the first cell. empty, hint: what is said without rows.
    """
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    rows = ctx.call(api, **(args or {})) if api else ctx.data(data) if isinstance(data, str) else data
    if not isinstance(rows, list):
        raise MacroError("the answer is no list")
    across, down, what = (read_columns({"": one})[0] for one in (column, row, value))
    heads: dict[Key, Shape] = {}
    lines: dict[Key, dict[str, Any]] = {}
    for one in rows:
        head, top = down.value(ctx, one), across.value(ctx, one)
        line = lines.setdefault(_key(head), {"head": head, "cells": {}})
        heads[_key(top)] = top
        word = str(field_of(one, state) or "") if state else ""
        look = next((look for look, words in LOOKS.items() if word in words), "")
        said = field_of(one, note) if note else None
        line["cells"][_key(top)] = {"value": what.value(ctx, one), "look": look, "note": said}
    keys = sorted(heads)
    return ctx.render(
        "matrix.html",
        columns=[heads[key] for key in keys],
        lines=[
            {"head": line["head"], "cells": [line["cells"].get(key, {"self": key == name}) for key in keys]}
            for name, line in sorted(lines.items())
        ],
        title=title,
        corner=corner,
        empty={"title": empty, "text": hint},
    )


def _key(head: Shape) -> Key:
    """Tell things apart that are called the same by where their names lead."""
    return head.raw, str(head.get("href") or "")
