"""Macros that tests use to look into rendering."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from portalfw.wiki import Block, MacroContext, macro


@macro
def echo(
    ctx: MacroContext, value: Any = None, number: int = 0, names: list[str] | None = None, body: Any = None
) -> Block:
    """Show the arguments exactly as they arrived."""
    return Block(Markup("<code>{}</code>").format(escape(repr((value, number, names, body)))), ctx.topics)


@macro
def broken(ctx: MacroContext) -> Block:
    """Fail in a way that nobody foresaw."""
    raise RuntimeError(f"wires crossed in {ctx.page.name}")
