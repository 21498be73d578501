"""What a button that calls a method looks like: made from the method's declaration and what the author adds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from macros.schema_fields import fields_of
from portalfw.errors import PortalError
from portalfw.wiki import MacroContext
from portalfw.wiki.address import FIELD, field_of
from portalfw.wiki.errors import MacroArgumentError

if TYPE_CHECKING:
    from portalfw.rest.declaration import Argument, Method

RESULT = re.compile(r"\{(result(?:\.\w+)?)\}")
TYPES = {"int": "number", "float": "number", "bool": "checkbox", "list": "list", "object": "json", "str": "text"}
KNOWN = frozenset(
    (
        "api",
        "label",
        "icon",
        "style",
        "values",
        "goto",
        "done",
        "title",
        "text",
        "confirm",
        "when",
        "reason",
        "shortcut",
        "href",
        "ask",
        "defaults",
        "choices",
        "show",
        "parts",
        "labels",
    )
)


def button(ctx: MacroContext, given: Mapping[str, Any], row: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a button as ``button.html`` wants it.

    :raises MacroArgumentError: naming the key of ``given`` that is unknown or missing.
    """
    unknown = next((name for name in given if name not in KNOWN), None)
    if unknown:
        raise MacroArgumentError(f"a button has no {unknown!r}; it may have {', '.join(sorted(KNOWN))}")
    looked = {name: filled(value, row) if name not in {"goto", "href"} else value for name, value in given.items()}
    if looked.get("href"):
        href = ctx.link(str(looked["href"]), row or {})
        return {**_look(looked), "label": looked.get("label", "Open"), "href": href, "fields": []}
    if not looked.get("api"):
        raise MacroArgumentError("a button needs api: app/actor/method, or href: Page")
    return _call_button(ctx, looked, ctx.describe(str(looked["api"])), row)


def _call_button(
    ctx: MacroContext, given: Mapping[str, Any], method: Method, row: Mapping[str, Any] | None
) -> dict[str, Any]:
    allowed = possible(given.get("when", True), row)
    values = dict(given.get("values") or {})
    style = given.get("style") or ("danger" if method.destructive else "default")
    goto = given.get("goto")
    return {
        **_look(given),
        "address": method.address,
        "label": given.get("label") or method.title,
        "style": style,
        "fields": _fields(ctx, method, values, given) if allowed else [],
        "text": given.get("text") or (_first_line(method.doc) if method.destructive else None),
        "confirm_name": given.get("confirm"),
        "goto": _goto(ctx, str(goto), row) if goto else None,
        "disabled_reason": None if allowed else given.get("reason") or "Not possible in this state",
    }


def _look(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) for name in ("icon", "style", "title", "done", "shortcut", "show")}


def _goto(ctx: MacroContext, target: str, row: Mapping[str, Any] | None) -> str:
    """Return the page to open afterwards; ``{result}`` and ``{result.x}`` stay, the browser fills them in."""
    address = ctx.link(RESULT.sub("\x00\\1\x01", target), row or {})
    return address.replace("%00", "{").replace("%01", "}")


def _fields(
    ctx: MacroContext, method: Method, values: dict[str, Any], given: Mapping[str, Any]
) -> list[dict[str, Any]]:
    names = {argument.wire for argument in method.arguments}
    wrong = next((name for name in values if name not in names), None)
    if wrong:
        raise MacroArgumentError(
            f"{method.address} has no argument {wrong!r}; it has {', '.join(sorted(names)) or 'none'}"
        )
    ask = given.get("ask")
    asked = ask if isinstance(ask, list) else [part.strip() for part in str(ask).split(",")] if ask else None
    parts: Mapping[str, Any] = given.get("parts") or {}
    fields = []
    for argument in method.arguments:
        if argument.wire in values:
            fields.append(_hidden(argument, values[argument.wire]))
        elif argument.wire in parts:
            fields += fields_of(argument.wire, parts[argument.wire], (given.get("defaults") or {}).get(argument.wire))
        elif asked is None or argument.wire in asked or argument.required:
            fields.append(_field(ctx, argument, given))
    order = {name: place for place, name in enumerate(asked or ())}
    return sorted(fields, key=lambda field: order.get(field["name"].partition(".")[0], -1))


def _hidden(argument: Argument, value: Any) -> dict[str, Any]:
    return {"name": argument.wire, "label": argument.label, "type": "hidden", "value": value}


def _field(ctx: MacroContext, argument: Argument, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = given.get("defaults") or {}
    choices = _choices(ctx, argument, (given.get("choices") or {}).get(argument.wire))
    pick = "checks" if argument.type_name == "list" else "select"
    kind = pick if choices is not None else "password" if argument.secret else TYPES[argument.type_name]
    return {
        "name": argument.wire,
        "label": (given.get("labels") or {}).get(argument.wire, argument.label),
        "type": "textarea" if argument.multiline and kind == "text" else kind,
        "value": defaults.get(argument.wire, argument.default),
        "required": argument.required and argument.type_name != "bool",
        "help": argument.help,
        "choices": choices,
    }


def _choices(ctx: MacroContext, argument: Argument, given: Any) -> list[dict[str, Any]] | None:
    """Return what may be chosen: the author's list or method, the declaration's values or method."""
    if isinstance(given, list):
        return [
            {"value": one["value"], "label": str(one["label"])}
            if isinstance(one, Mapping)
            else {"value": one, "label": str(one)}
            for one in given
        ]
    if argument.options and not given:
        return [{"value": value, "label": value} for value in argument.options]
    address, arguments = _choice_call(given or argument.choices)
    if not address:
        return None
    try:
        rows = ctx.choices(address, **arguments)
    except PortalError:
        return None  # the viewer may not list them, so he types the value
    return told_apart((row.get("id"), row.get("name") or str(row.get("id"))) for row in rows if isinstance(row, dict))


def told_apart(choices: Iterable[tuple[Any, str]]) -> list[dict[str, Any]]:
    """Return values and their labels as choices; where labels are the same, with the values if these are others."""
    found = list(choices)
    alike = Counter(label for _, label in found)
    return [
        {"value": value, "label": label if alike[label] == 1 or str(value) == label else f"{label} (id {value})"}
        for value, label in found
    ]


def _choice_call(given: Any) -> tuple[str | None, dict[str, Any]]:
    if isinstance(given, Mapping):
        return str(given.get("api")), {name: value for name, value in given.items() if name != "api"}
    return (str(given), {}) if given else (None, {})


def filled(value: Any, row: Mapping[str, Any] | None) -> Any:
    """Put a row's values in place of ``{field}``; a text that is one field keeps the value's type."""
    if row is None:
        return value
    if isinstance(value, Mapping):
        return {name: filled(part, row) for name, part in value.items()}
    if not isinstance(value, str):
        return value
    whole = FIELD.fullmatch(value)
    return field_of(row, whole[1]) if whole else FIELD.sub(lambda found: str(field_of(row, found[1])), value)


def truth(value: Any) -> bool:
    """Tell whether a value, or words for one, mean yes."""
    return value.strip().lower() not in {"", "false", "no", "0"} if isinstance(value, str) else bool(value)


def possible(when: Any, row: Mapping[str, Any] | None) -> bool:
    """Tell whether a button's ``when`` holds: words for yes or no, or for a row the values that its fields may have."""
    if row is None or not isinstance(when, Mapping):
        return truth(filled(when, row))
    return all(str(field_of(row, field)) in _words(values) for field, values in when.items())


def _words(values: Any) -> set[str]:
    return {str(value) for value in (values if isinstance(values, list) else [values])}


def _first_line(doc: str) -> str:
    return doc.strip().split("\n", 1)[0]
