"""A map of objects: one calm tile each, and colour only where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from macros.columns import Column, read_columns
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.address import field_of
from portalfw.wiki.errors import MacroError

BAD: Final = frozenset({"ERROR", "FAILED", "LOST", "AWAY"})
WARN: Final = frozenset({"WARNING", "MISSED", "PENDING"})
ASIDE: Final = frozenset({"MAINTENANCE", "DISABLED", "ACCEPTED", "DECOMMISSIONED"})
LOOKS: Final = {"bad": "exclamation-octagon-fill", "warn": "exclamation-triangle-fill", "aside": "wrench"}


@macro
def tiles(
    ctx: MacroContext,
    api: Address | None = None,
    data: str | list[dict[str, Any]] | None = None,
    args: dict[str, Any] | None = None,
    name: str = "name",
    states: list[str] | None = None,
    group: str | None = None,
    meter: str | None = None,
    note: str | None = None,
    title: str | None = None,
    more: str | None = None,
    empty: str = "Nothing here yet",
    hint: str | None = None,
) -> Block:
    """Map of a list method's rows, a tile each: those that are well have no colour, so that the eye goes to the others.

    name: ``field -> Page?id={id}``. states: fields of its states, the worst of which colours the tile.
    group: field by which tiles stand together. meter: field of a share in percent, drawn as a bar.
    note: field that says what is wrong, shown when one points at it. title, more (``Label -> Page``): above.
    empty, hint: what is said without rows.
    """
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    rows = ctx.call(api, **(args or {})) if api else ctx.data(data) if isinstance(data, str) else data
    if not isinstance(rows, list):
        raise MacroError("the answer is no list")
    label, arrow, target = (more or "").partition("->")
    head = read_columns({"name": name})[0]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tile = _tile(ctx, row, head, states or [], meter, note)
        groups.setdefault(str(field_of(row, group)) if group else "", []).append(tile)
    shown = [{"title": key, "tiles": found} for key, found in sorted(groups.items())]
    return ctx.render(
        "tiles.html",
        groups=shown,
        title=title,
        link={"label": label.strip(), "href": ctx.link(target.strip())} if arrow else None,
        empty={"title": empty, "text": hint},
    )


def _tile(
    ctx: MacroContext, row: Mapping[str, Any], head: Column, states: list[str], meter: str | None, note: str | None
) -> dict[str, Any]:
    found = [str(field_of(row, name) or "") for name in states]
    look = next((kind for kind, words in (("bad", BAD), ("warn", WARN), ("aside", ASIDE)) if words & {*found}), "")
    word = next((one for words in (BAD, WARN, ASIDE) for one in found if one in words), next(iter(found), ""))
    share, said = field_of(row, meter) if meter else None, field_of(row, note) if note else None
    label = head.value(ctx, row)
    return {
        "label": label.raw,
        "href": label.get("href"),
        "look": look,
        "icon": LOOKS.get(look),
        "word": word.capitalize(),
        "share": share if isinstance(share, (int, float)) else None,
        "note": str(said) if said else None,
    }
