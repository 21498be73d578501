"""Buttons that call methods of the API."""

from __future__ import annotations

from typing import Any

from macros.buttons import KNOWN, button
from portalfw.wiki import Address, Block, MacroContext, macro


@macro
def action(
    ctx: MacroContext,
    api: Address | None = None,
    label: str | None = None,
    values: dict[str, Any] | None = None,
    icon: str | None = None,
    style: str | None = None,
    goto: str | None = None,
    when: bool | str = True,
    reason: str | None = None,
    ask: list[str] | None = None,
    defaults: dict[str, Any] | None = None,
    choices: dict[str, Any] | None = None,
    title: str | None = None,
    text: str | None = None,
    confirm: str | None = None,
    done: str | None = None,
    show: bool | None = None,
    shortcut: str | None = None,
    href: str | None = None,
    small: bool = False,
) -> Block:
    """Button that calls a method; a dialog asks for the arguments that are not given as ``values``.

    api: the method; or href: a page to open. label, icon (bootstrap-icons), style: primary, default, quiet, danger.
    values: arguments by wire name. ask: of the optional ones only these. defaults, choices (a list, or the address of a
    list method) by argument. when, reason: the button is grey unless ``when``, and says why. goto: page to open
    afterwards, with ``{result}``; or show: the dialog stays and shows what the method answered. title, text: head of
    the dialog. confirm: name to type first. done: words of the toast.
    """
    given = {name: value for name, value in locals().items() if name in KNOWN and value is not None}
    return ctx.render("actions.html", actions=[button(ctx, given)], small=small)


@macro
def actions(ctx: MacroContext, body: list[dict[str, Any]], small: bool = False) -> Block:
    """Group of buttons: a YAML list in which each entry has the arguments of the macro ``action``."""
    return ctx.render("actions.html", actions=[button(ctx, given) for given in body], small=small)
