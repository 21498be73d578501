"""Where a macro's rows come from: an entry of the page's ``data:``, a part of one, or what stands in the call."""

from __future__ import annotations

from typing import Any

from portalfw.wiki import MacroContext
from portalfw.wiki.address import field_of


def given(ctx: MacroContext, data: Any) -> Any:
    """Return what ``data`` names: an entry of the page's ``data:``, or a part of it as ``job.result``; else itself."""
    if not isinstance(data, str):
        return data
    entry, _, part = data.partition(".")
    found = ctx.data(entry)
    return field_of(found, part) if part and isinstance(found, dict) else found


def follow(ctx: MacroContext, entries: str | None) -> None:
    """Have a macro drawn anew when these entries of ``data:`` change, named with commas: its arguments are of them."""
    for entry in (entries or "").split(","):
        if entry.strip():
            ctx.data(entry.strip())
