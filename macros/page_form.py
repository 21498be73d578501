"""A form in a page that opens it again with what was filled in."""

from __future__ import annotations

from typing import Any

from macros.buttons import told_apart
from portalfw.wiki import Block, MacroContext, macro
from portalfw.wiki.errors import MacroError

KNOWN = {"label", "help", "type", "choices", "required", "placeholder", "value", "none"}
TYPES = {"text", "textarea", "select"}


@macro
def page_form(
    ctx: MacroContext,
    fields: dict[str, Any],
    button: str = "Show",
    icon: str = "arrow-right",
    line: bool = False,
    leaves: str = "",
) -> Block:
    """Form with the page's parameters, which opens the page again with them.

    fields: by parameter its label, or a mapping of label, help, type (text, textarea or select), required, placeholder,
    value (if the address has none), none (the choice of nothing), and choices: a list, also of ``{value, label}``, or
    the address of a list method whose rows have id and name, or ``{api, key}`` with the field that the address gets.
    button, icon: of the button. line: all in one line, as filters of what stands below.
    leaves: a parameter of the page that sending the form takes away, such as the place in a list.
    """
    shown = [_field(ctx, name, {"label": given} if isinstance(given, str) else given) for name, given in fields.items()]
    kept = {name: value for name, value in ctx.params.items() if name not in {*fields, leaves} and name[:1] != "_"}
    action = ctx.here().partition("?")[0]
    clear = any(ctx.params.get(name) for name in fields) and ctx.here(**dict.fromkeys(fields))
    block = ctx.render(
        "page_form.html", action=action, kept=kept, fields=shown, button=button, icon=icon, line=line, clear=clear
    )
    return Block(block.html, frozenset())  # a form that someone fills in is not drawn anew


def _field(ctx: MacroContext, name: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not given.keys() <= KNOWN or given.get("type", "text") not in TYPES:
        raise MacroError(f"field {name} must be a label, or a mapping of {', '.join(sorted(KNOWN))}")
    value = ctx.params.get(name) or given.get("value", "")
    found = {"type": "text", "label": name, "required": False, **given, "name": name, "value": value}
    if "choices" in given:
        found |= {"type": "select", "choices": _choices(ctx, given["choices"])}
    return found


def _choices(ctx: MacroContext, given: Any) -> list[dict[str, Any]]:
    """Return what may be chosen; names are what an address holds, so a row's ``name`` is taken where it has one."""
    if isinstance(given, list):
        return [
            {"value": str(one["value"]), "label": str(one["label"])}
            if isinstance(one, dict)
            else {"value": one, "label": str(one)}
            for one in given
        ]
    api, key = (given.get("api"), given.get("key", "name")) if isinstance(given, dict) else (given, "name")
    rows = [row if isinstance(row, dict) else {"name": row} for row in ctx.choices(str(api))]
    values = [(row.get(key) or row.get("id"), row.get("name") or row.get("id")) for row in rows]
    return told_apart((str(value), str(label)) for value, label in values)
