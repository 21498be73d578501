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
    labels: dict[str, str] | None = None,
    parts: dict[str, Any] | None = None,
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
    values: arguments by wire name. ask: of the optional ones only these, in this order. defaults, labels and choices
    (a list, also of ``{value, label}``, or the address of a list method) by argument. parts: JSON Schemas of arguments
    that are objects, whose properties become fields. when, reason: the button is grey unless ``when``, and says why.
    goto: page to open afterwards, with ``{result}``; or show: the dialog stays and shows what the method answered.
    title, text: head of the dialog. confirm: name to type first. done: words of the toast.
    """
    given = {name: value for name, value in locals().items() if name in KNOWN and value is not None}
    return ctx.render("actions.html", actions=[button(ctx, given)], small=small)


@macro
def actions(ctx: MacroContext, body: list[dict[str, Any]], small: bool = False) -> Block:
    """Group of buttons: a YAML list in which each entry has the arguments of the macro ``action``.

    An entry with ``menu: true`` stands in a menu before the others.
    """
    more: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    for given in body:
        known = {name: value for name, value in given.items() if name != "menu"}
        (more if given.get("menu") else shown).append(button(ctx, known))
    return ctx.render("actions.html", actions=shown, more=more, small=small)
