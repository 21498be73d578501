"""Fields of a dialog for the parts of an argument that is an object, made from its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TYPES: Final = {"integer": "number", "number": "number", "boolean": "checkbox", "string": "text"}


def fields_of(name: str, schema: Mapping[str, Any], given: Any = None) -> list[dict[str, Any]]:
    """Return a field for each property of an object's schema, called ``name.property``.

    Scalars, choices and lists of texts get a field of their own; what is deeper is written as JSON. ``given`` holds
    values that are filled in instead of the defaults. What a schema leaves open is written as one JSON object.
    """
    values = given if isinstance(given, Mapping) else {}
    properties: Mapping[str, Any] = schema.get("properties") or {}
    needed = schema.get("required") or ()
    found = [
        _field(f"{name}.{key}", key, part, needed=key in needed, value=values.get(key, part.get("default")))
        for key, part in properties.items()
    ]
    if schema.get("additionalProperties"):
        rest = {key: value for key, value in values.items() if key not in properties}
        help_ = "As a JSON object, by name."
        found.append({"name": name, "label": "Further arguments", "type": "json", "value": rest or None, "help": help_})
    return found


def _field(name: str, label: str, schema: Mapping[str, Any], *, needed: bool, value: Any) -> dict[str, Any]:
    plain, optional = _plain(schema)
    kind = _kind(plain)
    choices = plain.get("enum")
    truth = kind == "checkbox"
    return {
        "name": name,
        "label": label,
        "type": "select" if choices else "select" if truth and optional else kind,
        "choices": [{"value": one, "label": str(one)} for one in choices] if choices else _yes_no(truth and optional),
        "json": "json" if truth and optional else None,
        "value": str(value).lower() if truth and optional and value is not None else value,
        "required": needed and not optional and not truth,
        "help": _help(plain, kind),
    }


def _plain(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return what a value may be besides nothing, and whether it may be nothing."""
    branches = [one for one in schema.get("anyOf") or () if one.get("type") != "null"]
    if "anyOf" not in schema:
        return schema, False
    optional = len(branches) < len(schema["anyOf"])
    return (branches[0] if len(branches) == 1 else {}), optional


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array" and (schema.get("items") or {}).get("type") == "string":
        return "list"
    return TYPES.get(str(schema.get("type")), "json")


def _help(schema: Mapping[str, Any], kind: str) -> str:
    if kind == "list":
        return "One a line."
    words = {"array": "A list, as JSON.", "object": "An object, as JSON."}
    return words.get(str(schema.get("type")), "Any value, as JSON.") if kind == "json" else ""


def _yes_no(wanted: bool) -> list[dict[str, Any]] | None:
    return [{"value": "true", "label": "Yes"}, {"value": "false", "label": "No"}] if wanted else None
