"""From what a caller sent to typed arguments: one pydantic model a method, made from its signature."""

from __future__ import annotations

import inspect
import json
import logging
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticCustomError

from portalfw.errors import InvalidError

if TYPE_CHECKING:
    from portalfw.rest.declaration import Method

log = logging.getLogger(__name__)

MOST_TOLD: Final = 1000  # names that are told of in the life of a process; callers choose them
LONGEST_NAME: Final = 60  # characters of a name that are told
_EMPTY = (None, "")
WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list", "dict": "an object"}
LEAST, MOST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Arg:
    """What ``Annotated[type, Arg(...)]`` says of an argument beyond its type: for forms, docs and the audit record."""

    label: str | None = None
    help: str = ""
    choices: str | None = None  # address of a list method whose rows have id and name
    secret: bool = False  # masked in the audit record, a password field in forms
    multiline: bool = False
    wire: str | None = None  # where clients expect another spelling than camelCase


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

    An empty text for anything but an optional text counts as not given, since forms and query strings send it so, and
    so does null where an argument has no use for it.

    :raises InvalidError: naming the first wrong argument by its wire name.
    """
    present = {key: value for key, value in given.items() if value not in _EMPTY or _meant(model, key, value)}
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


def _meant(model: type[BaseModel], wire: str, value: Any) -> bool:
    """Tell whether an empty value is one that the argument can have."""
    field = next((field for field in model.model_fields.values() if field.validation_alias == wire), None)
    if field is None:
        return False
    parts = _parts(field.annotation)
    return type(None) in parts if value is None else not field.is_required() and str in parts


def _parts(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        return _parts(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)


def _lenient(hint: Any) -> Any:
    """Accept lists as JSON text or as one value, and objects as JSON text: query strings have no types.

    Whole numbers must fit the database's 64 bits, and true is not 1.
    """
    kinds = {get_origin(part) or part for part in _parts(hint)}
    if kinds & {int, float} and bool not in kinds:
        return Annotated[hint, BeforeValidator(_no_boolean), AfterValidator(_fitting)]
    if list in kinds:
        return Annotated[hint, BeforeValidator(_as_list), AfterValidator(_fitting)]
    if dict in kinds:
        return Annotated[hint, BeforeValidator(_from_json)]
    return hint


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "must be a number")
    return value


def _fitting(value: Any) -> Any:
    numbers = [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, int)]
    if any(not LEAST <= number <= MOST for number in numbers):
        raise PydanticCustomError("too_large", "must fit in 64 bits")
    return value


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


class UnknownArguments:
    """Tells the log once of each argument that callers send and a method does not have: clients may know newer ones."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._known: dict[str, frozenset[str]] = {}
        self._told: set[tuple[str, str]] = set()

    def tell(self, method: Method, given: Mapping[str, Any]) -> None:
        """Log the names in ``given`` that ``method`` ignores, never their values."""
        address = method.address
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = frozenset(argument.wire for argument in method.arguments)
        for name in given.keys() - known:
            if (address, name[:LONGEST_NAME]) not in self._told and len(self._told) < MOST_TOLD:
                self._told.add((address, name[:LONGEST_NAME]))
                log.info("%s has no argument %r; it is ignored, and not mentioned again", address, name[:LONGEST_NAME])
