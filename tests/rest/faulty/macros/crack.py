"""A macro with a fault."""

from __future__ import annotations

from portalfw.wiki import Block, MacroContext, macro


@macro
def crack(ctx: MacroContext) -> Block:
    """Fail."""
    raise KeyError(f"no shard on {ctx.page.name}")
