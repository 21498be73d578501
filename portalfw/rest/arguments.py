"""From what a caller sent to typed arguments: one pydantic model a method, made from its signature."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from portalfw.errors import InvalidError

WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list", "dict": "an object"}


def argument_model(
    name: str, parameters: Sequence[inspect.Parameter], hints: Mapping[str, Any], wires: Mapping[str, str]
) -> type[BaseModel]:
    """Return the model that validates a method's arguments by their wire names; unknown ones are ignored."""
    fields: dict[str, Any] = {}
    for parameter in parameters:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (
            _lenient(hints[parameter.name]),
            Field(default, validation_alias=wires[parameter.name]),
        )
    config = ConfigDict(extra="ignore", populate_by_name=False, protected_namespaces=())
    return create_model(name, __config__=config, **fields)


def parse(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Validate what a caller gave and return the arguments by their Python names.

    An empty text for anything but an optional text counts as not given, since forms and query strings send it so.

    :raises InvalidError: naming the first wrong argument by its wire name.
    """
    present = {key: value for key, value in given.items() if value != "" or _optional_text(model, key)}
    try:
        checked = model.model_validate(present)
    except ValidationError as error:
        raise _explain(error) from error
    return {name: getattr(checked, name) for name in model.model_fields}


def _explain(error: ValidationError) -> InvalidError:
    first = error.errors()[0]
    wire = str(first["loc"][0]) if first["loc"] else "?"
    if first["type"] == "missing":
        return InvalidError(f"Argument {wire} is missing.", detail={"argument": wire, "problem": "missing"})
    wanted = WORDS.get(first["type"].partition("_")[0])
    problem = f"must be {wanted}" if wanted else first["msg"][:1].lower() + first["msg"][1:]
    given = repr(first.get("input"))[:80]
    return InvalidError(f"Argument {wire}: {problem}, not {given}.", detail={"argument": wire, "problem": problem})


def _optional_text(model: type[BaseModel], wire: str) -> bool:
    field = next((field for field in model.model_fields.values() if field.validation_alias == wire), None)
    return field is not None and not field.is_required() and str in _parts(field.annotation)


def _parts(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        return _parts(get_args(hint)[0])
    return get_args(hint) or (hint,)


def _lenient(hint: Any) -> Any:
    """Accept lists as JSON text or as one value, and objects as JSON text: query strings have no types."""
    kinds = {get_origin(part) or part for part in _parts(hint)}
    if list in kinds:
        return Annotated[hint, BeforeValidator(_as_list)]
    if dict in kinds:
        return Annotated[hint, BeforeValidator(_from_json)]
    return hint


def _as_list(value: Any) -> Any:
    if isinstance(value, str):
        parsed = _from_json(value) if value.lstrip().startswith("[") else value
        return parsed if isinstance(parsed, list) else [parsed]
    return value if value is None or isinstance(value, list) else [value]


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
