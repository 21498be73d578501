"""Remarks and the way to sign in."""

from __future__ import annotations

from typing import Literal

from macros.sources import follow
from portalfw.wiki import Block, MacroContext, macro


@macro
def note(
    ctx: MacroContext,
    text: str | None = None,
    kind: Literal["note", "tip", "warning", "danger"] = "note",
    title: str | None = None,
    body: str | None = None,
    follows: str | None = None,
) -> Block:
    """Remark with an icon and one bold word; nothing without a text.

    follows: entries of the page's ``data:``, with commas, from which the text comes; it is drawn anew when they change.
    """
    follow(ctx, follows)
    if not (text or body):
        return ctx.render("nothing.html")
    return ctx.render("note.html", text=text or body or "", kind=kind, title=title)


@macro
def login(ctx: MacroContext, label: str = "Sign in") -> Block:
    """Link to the sign-in form for guests; nothing for who is signed in."""
    return ctx.render("login_link.html", label=label, guest=ctx.principal.guest, here=ctx.here())
