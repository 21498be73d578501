"""JSON Schema of a method's arguments and of its answer, from its signature."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from portalfw.rest.declaration import Argument, Method
from portalfw.rest.row_schema import comments, field_types

Schema = dict[str, Any]
_SCALARS: dict[Any, str] = {int: "integer", float: "number", bool: "boolean", str: "string", type(None): "null"}
REF = "#/components/schemas/{model}"


def argument_schemas(method: Method, components: dict[str, Schema]) -> dict[str, Schema]:
    """Return the schema of each argument by its wire name; models that they name are added to ``components``."""
    model = method.model.model_json_schema(by_alias=True, ref_template=REF)
    components.update(model.get("$defs", {}))
    found: dict[str, Schema] = model.get("properties", {})
    return {argument.wire: _described(argument, found[argument.wire]) for argument in method.arguments}


def answer_schema(method: Method, components: dict[str, Schema]) -> Schema:
    """Return the schema of what a method answers; typed rows are added to ``components`` by name."""
    hints = typing.get_type_hints(getattr(method.actor_class, method.attribute))
    return schema_of(hints.get("return", Any), components)


def schema_of(hint: Any, components: dict[str, Schema]) -> Schema:
    """Return the schema of a type.

    pydantic refuses ``typing.TypedDict`` before Python 3.12, so those are walked here.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if typing.is_typeddict(hint):
        return _row(hint, components)
    if origin is list:
        return {"type": "array", "items": schema_of(parts[0], components)}
    if origin is dict or hint is dict:
        return {"type": "object", "additionalProperties": schema_of(parts[1], components) if parts else True}
    if origin in {Union, types.UnionType}:
        return {"anyOf": [schema_of(part, components) for part in parts]}
    return _by_pydantic(hint, components)


def without_null(schema: Schema) -> Schema:
    """Return the schema without the alternative null: a query string has none, one leaves the argument away."""
    kept = [part for part in schema.get("anyOf", []) if part.get("type") != "null"]
    if len(kept) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf" and not (name == "default" and not value)}
    found: Schema = kept[0] | rest
    return found


def example_of(schemas: Mapping[str, Schema], method: Method) -> Schema:
    """Return arguments as an example: what is required, from defaults, choices and types."""
    return {argument.wire: _sample(schemas[argument.wire]) for argument in method.arguments if argument.required}


def _described(argument: Argument, schema: Schema) -> Schema:
    found = {**schema, "title": argument.label}
    if argument.help:
        found["description"] = argument.help
    if argument.secret:
        found |= {"format": "password", "writeOnly": True}
    if argument.choices:
        found["x-choices"] = argument.choices
    if argument.required and found.get("type") == "string":
        found["minLength"] = max(1, found.get("minLength", 0))  # an empty text counts as not given
    return found


def _row(hint: Any, components: dict[str, Schema]) -> Schema:
    name = hint.__name__
    if name in components and components[name].get("x-module") != hint.__module__:
        name = f"{hint.__module__.rpartition('.')[2].capitalize()}{name}"
    if name not in components:
        components[name] = {"x-module": hint.__module__}  # first, so that a row may hold rows of its own kind
        fields, required = field_types(hint)
        texts = comments(hint)
        components[name] |= {
            "type": "object",
            "description": inspect.cleandoc(hint.__doc__ or ""),
            "properties": {
                field: schema_of(part, components) | ({"description": texts[field]} if field in texts else {})
                for field, part in fields.items()
            },
            "required": required,
            "additionalProperties": False,
        }
    return {"$ref": REF.format(model=name)}


def _by_pydantic(hint: Any, components: dict[str, Schema]) -> Schema:
    found: Schema = TypeAdapter(hint).json_schema(ref_template=REF, mode="serialization", by_alias=True)
    components.update(found.pop("$defs", {}))
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        components[hint.__name__] = found
        return {"$ref": REF.format(model=hint.__name__)}
    return found


def _sample(schema: Schema) -> Any:
    if schema.get("default") is not None:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = without_null(schema).get("type")
    samples: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
    return samples.get(str(kind), str(schema.get("title", "text")).lower())
