"""Searching from a page."""

from __future__ import annotations

from portalfw.wiki import Block, MacroContext, macro

PARAMETER = "q"


@macro
def search(ctx: MacroContext, kinds: list[str] | None = None, limit: int = 12, text: str | None = None) -> Block:
    """Field that searches pages and objects as one types, with what was found below, under the viewer's rights.

    kinds: only these (page, machine, account …). limit: hits of each kind. text: what to search at first; else the
    parameter ``q`` of the page's address says it.
    """
    asked = ctx.params.get(PARAMETER, text or "")
    found = ctx.call("system/search/find", text=asked, kinds=kinds, limit=limit)
    kept = {name: value for name, value in ctx.params.items() if name != PARAMETER and not name.startswith("_")}
    action = ctx.here().partition("?")[0]
    return ctx.render("search.html", action=action, kept=kept, name=PARAMETER, asked=asked, found=found)
