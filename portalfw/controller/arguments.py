"""What arguments a JumpScript takes: read from its signature, checked before a job is made of it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Union

from pydantic import ConfigDict, TypeAdapter, ValidationError

from portalfw.errors import InvalidError

PLAIN: Final[dict[str, Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
    "Any": Any,
    "object": Any,
    "None": None,
    "Mapping": dict,
    "Sequence": list,
    "Iterable": list,
    "tuple": list,
    "set": list,
}
"""What the names in annotations stand for; a job's arguments travel as JSON, so all sequences are lists."""

STRICT: Final = ConfigDict(strict=True, allow_inf_nan=False)


def check_arguments(script: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    """Refuse arguments that the script's ``action`` does not take; raises InvalidError naming the first."""
    known = {argument["name"]: argument for argument in script["arguments"]}
    unknown = sorted(args.keys() - known.keys())
    if unknown and not script.get("open_arguments"):
        raise _refused(script, f"has no argument {unknown[0]}", unknown[0])
    for name, argument in known.items():
        if name not in args:
            if argument["required"]:
                raise _refused(script, f"needs the argument {name}", name)
        elif args[name] is not None or argument["required"] or argument["default"] is not None:
            _check_value(script, argument, args[name])


def schema_of(arguments: Sequence[Mapping[str, Any]], *, open_arguments: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a script's arguments, for forms and for programs."""
    properties = {}
    for argument in arguments:
        found = _adapter(argument["type"]).json_schema()
        properties[argument["name"]] = found if argument["required"] else {**found, "default": argument["default"]}
    return {
        "type": "object",
        "properties": properties,
        "required": [argument["name"] for argument in arguments if argument["required"]],
        "additionalProperties": open_arguments,
    }


def _check_value(script: Mapping[str, Any], argument: Mapping[str, Any], value: Any) -> None:
    try:
        _adapter(argument["type"]).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # The branches of a union stand in the place too; only what names a part of the value says something.
        inner = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
        name = argument["name"]
        said = f"needs {name} as {argument['type']}: {name}{inner}: {first['msg']}"
        raise _refused(script, said, name) from error


def _refused(script: Mapping[str, Any], said: str, argument: str) -> InvalidError:
    return InvalidError(f"Jumpscript {script['name']} {said}.", detail={"argument": argument})


@functools.lru_cache(maxsize=512)
def _adapter(annotation: str) -> TypeAdapter[Any]:
    """Return what checks values of an annotation; what we do not know, or no annotation, takes everything."""
    if not annotation:
        return TypeAdapter(Any)
    return TypeAdapter(_type(ast.parse(annotation, mode="eval").body), config=STRICT)


def _type(node: ast.expr) -> Any:
    """Return the type that an annotation means, without running any of it."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):  # written in quotes
            return _type(ast.parse(text, mode="eval").body)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return PLAIN.get(name, Any)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[_type(left), _type(right)]  # noqa: UP007 - made of values
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return _generic(name, inner.elts if isinstance(inner, ast.Tuple) else [inner])
    return Any


def _generic(name: str, parts: list[ast.expr]) -> Any:
    if name == "Literal" and all(isinstance(part, ast.Constant) for part in parts):
        return Literal[tuple(part.value for part in parts if isinstance(part, ast.Constant))]
    if name in {"Optional", "Union"}:
        members = [_type(part) for part in parts] + ([None] if name == "Optional" else [])
        return Union[tuple(members)]  # noqa: UP007 - made of values
    if name == "Annotated":
        return _type(parts[0])
    if name in {"dict", "Mapping"} and len(parts) == 2:  # noqa: PLR2004 - key and value
        return dict[str, _type(parts[1])]  # type: ignore[misc]  # a JSON object's names are text
    if name in {"list", "Sequence", "Iterable", "set"}:
        return list[_type(parts[0])]  # type: ignore[misc]  # made of values
    return PLAIN.get(name, Any)
