"""Trying a reading method on its page: a form with its arguments, and what it answers."""

from __future__ import annotations

import json
from typing import Any

from macros.buttons import button
from portalfw.errors import PortalError
from portalfw.wiki import Address, Block, MacroContext, macro
from portalfw.wiki.errors import MacroError

GIVEN = "given."  # what an argument's name begins with in the page's address
MOST = 20_000  # characters of an answer that are shown


@macro
def try_form(ctx: MacroContext, address: Address) -> Block:
    """Form with a reading method's arguments, which opens the page again with them.

    address: the method.
    """
    method = _reading(ctx, address)
    fields = [_field(ctx, field) for field in button(ctx, {"api": method.address})["fields"]]
    kept = {name: value for name, value in ctx.params.items() if not name.startswith((GIVEN, "tried", "_"))}
    block = ctx.render("try_form.html", action=ctx.here().partition("?")[0], kept=kept, fields=fields)
    return Block(block.html, frozenset())  # a form that someone fills in is not drawn anew


@macro
def try_answer(ctx: MacroContext, address: Address) -> Block:
    """Show what a reading method answers to the arguments of ``try_form``; nothing before it was sent.

    address: the method.
    """
    method = _reading(ctx, address)
    if "tried" not in ctx.params:
        return ctx.render("try_answer.html", text=None, failure=None)
    kinds = {argument.wire: argument.type_name for argument in method.arguments}
    sent = {name: _value(kind, ctx.params.get(GIVEN + name, "")) for name, kind in kinds.items()}
    try:
        answer = ctx.call(method.address, **{name: value for name, value in sent.items() if value not in ("", [])})
    except PortalError as error:
        return ctx.render("try_answer.html", text=None, failure=error.message)
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    return ctx.render("try_answer.html", text=text[:MOST], cut=len(text) > MOST, failure=None)


def _reading(ctx: MacroContext, address: str) -> Any:
    method = ctx.describe(address)
    if not method.declaration.readonly:
        raise MacroError(f"{method.address} changes something; use the macro action")
    if any(argument.secret for argument in method.arguments):
        raise MacroError(f"{method.address} takes a secret, which must not stand in an address; use the macro action")
    return method


def _field(ctx: MacroContext, field: dict[str, Any]) -> dict[str, Any]:
    """Return a field of a dialog as a form in a page needs it: all that it sends is text."""
    given = ctx.params.get(GIVEN + field["name"])
    value = field["value"] if given is None else given
    found = {**field, "name": GIVEN + field["name"], "value": value}
    if field["type"] == "checkbox":
        options = [{"value": word, "label": word} for word in ("true", "false")]
        return {**found, "type": "select", "choices": options, "value": str(value).lower()}
    return {**found, "type": "list"} if field["type"] == "checks" else found


def _value(kind: str, text: str) -> Any:
    return [line.strip() for line in text.splitlines() if line.strip()] if kind == "list" else text
