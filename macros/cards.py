"""Cards: objects, or links to pages."""

from __future__ import annotations

from typing import Any

from macros.columns import read_columns
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.errors import MacroError


@macro
def cards(
    ctx: MacroContext,
    api: Address | None = None,
    data: str | list[dict[str, Any]] | None = None,
    args: dict[str, Any] | None = None,
    name: str = "name",
    two: str | None = None,
    status: str | None = None,
    icon: str | None = None,
    fields: dict[str, Any] | None = None,
    title: str | None = None,
    empty: str = "Nothing here yet",
) -> Block:
    """Objects of a list method as cards.

    name: ``field -> Page?id={id}``. two: grey second line, a field or text. status: field of the state. fields: facts
    as in the macro ``fields``.
    """
    if (api is None) == (data is None):
        raise MacroError("give either api: or data:")
    rows = ctx.call(api, **(args or {})) if api else ctx.data(data) if isinstance(data, str) else data
    if not isinstance(rows, list):
        raise MacroError("the answer is no list")
    if not rows:
        return ctx.render("empty.html", title=empty, icon=icon)
    head, below = read_columns({"name": name})[0], read_columns({"two": two})[0] if two else None
    facts = read_columns(fields or {})
    shown = []
    for row in rows:
        label = head.value(ctx, row)
        shown.append(
            {
                "title": label.raw,
                "href": label.get("href"),
                "two": below.value(ctx, row).raw if below else None,
                "state": row.get(status) if status else None,
                "icon": icon,
                "facts": [{"label": fact.label, "value": fact.value(ctx, row)} for fact in facts],
            }
        )
    return ctx.render("cards.html", cards=shown, title=title)


@macro
def card(
    ctx: MacroContext, title: str, text: str | None = None, href: str | None = None, icon: str | None = None
) -> Block:
    """One card with a title, a sentence and a link."""
    return ctx.render(
        "cards.html", cards=[{"title": title, "text": text, "href": ctx.link(href) if href else None, "icon": icon}]
    )
