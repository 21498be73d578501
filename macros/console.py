"""The screen of a machine."""

from __future__ import annotations

from typing import Any

import orjson

from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.calling import topics


@macro
def console(ctx: MacroContext, api: Address, args: dict[str, Any] | None = None, title: str = "") -> Block:
    """Screen of a machine, as wide as the page, with its keyboard and pointer if the viewer may use them.

    api: a method that issues an address of a console, or nothing while there is nothing to see. It is called by the
    browser, not while the page is made, and again to connect anew.
    args: its arguments by wire name; give them from the page's parameters rather than from its data, since a screen
    whose arguments change begins afresh.
    title: whose screen it is, for those who cannot see it.
    """
    given = args or {}
    news = topics(ctx.describe(api), given)
    return ctx.render("console.html", api=api, given=orjson.dumps(given).decode(), news=news, title=title or "machine")
