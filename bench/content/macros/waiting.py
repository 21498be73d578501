"""A macro that takes its time, as one that asks a slow database does."""

from __future__ import annotations

import gevent

from portalfw.wiki import Block, MacroContext, macro


@macro
def waiting(ctx: MacroContext, milliseconds: int = 20) -> Block:
    """Wait, then say so."""
    gevent.sleep(milliseconds / 1000)
    return ctx.render("note.html", text=f"{milliseconds} ms", kind="note", title=None)
