"""What a method answers, as rows for the page of the method: every field by its path, of rows within rows too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypedDict

from portalfw.rest.declaration import Method
from portalfw.rest.schema import Schema, answer_schema

DEEPEST: Final = 4  # rows within rows
_REF: Final = "#/components/schemas/"
_WORDS: Final = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "object": "object"}


class AnswerField(TypedDict):
    """One field of an answer."""

    path: str  # nics[].ipAddress is a field of each row of the list nics
    type: str
    always: bool  # false for one that may be missing
    meaning: str


def answer_of(method: Method) -> tuple[str, list[AnswerField]]:
    """Return what a method answers in a word (``list of MachineRow``), and the fields of that."""
    components: dict[str, Schema] = {}
    schema = answer_schema(method, components)
    return _word(schema), list(_fields(schema.get("items", schema), components, "", 0))


def _fields(schema: Schema, components: Mapping[str, Schema], path: str, depth: int) -> Iterator[AnswerField]:
    row = components.get(_name(schema), schema)
    for name, part in row.get("properties", {}).items():
        inner = next((one for one in part.get("anyOf", [part]) if one.get("type") != "null"), part)
        here, below = f"{path}{name}", inner.get("items", inner)
        always = name in row.get("required", ())
        yield {"path": here, "type": _word(part), "always": always, "meaning": part.get("description", "")}
        if depth < DEEPEST:
            yield from _fields(below, components, f"{here}[]." if "items" in inner else f"{here}.", depth + 1)


def _word(schema: Schema) -> str:
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_word(part) for part in schema["anyOf"]))
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"list of {_word(items)}" if items else "list"
    kind = schema.get("type")
    return _WORDS.get(str(kind), str(kind or "anything"))


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(_REF)
