"""How a macro is written: a function whose signature and docstring are its declaration."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Annotated, Any, Literal, get_args, overload

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from portalfw.errors import StartError
from portalfw.wiki.block import Block
from portalfw.wiki.calls import BODY
from portalfw.wiki.errors import MacroArgumentError, MacroNotFoundError

MacroFunction = Callable[..., Block]


def _listed(value: Any) -> Any:
    """Accept ``a,b`` and a single value for a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, (list, Mapping, type(None))) else [value]


def _address(value: Any) -> Any:
    if isinstance(value, str) and value.strip("/").count("/") == 2:  # noqa: PLR2004 - app/actor/method
        return value.strip("/")
    raise ValueError("an API address looks like app/actor/method")


Address = Annotated[str, BeforeValidator(_address)]
"""The address of an API method, ``cloudbroker/machine/list``."""


@dataclass(frozen=True)
class Parameter:
    """One argument of a macro, as authors see it."""

    name: str
    type_name: str
    required: bool
    default: Any
    adapter: TypeAdapter[Any]


@dataclass(frozen=True)
class Macro:
    """A declared macro."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    function: MacroFunction
    cache: float = 0  # seconds that what it shows one viewer is kept

    def also(self, name: str) -> Macro:
        """Return the same macro under another name that authors know it by."""
        return replace(self, name=name, doc=f"{self.doc}\n\nThe macro ``{self.name}`` under its other name.")

    def bind(self, named: Mapping[str, Any], positional: Sequence[Any], body: Any) -> dict[str, Any]:
        """Return the checked arguments of a call.

        A body that is a mapping of the macro's own arguments is read as those; any other goes to the argument ``body``.

        :raises MacroArgumentError: naming the argument.
        """
        given = {str(name).replace("-", "_"): value for name, value in named.items()}
        names = [parameter.name for parameter in self.parameters]
        if isinstance(body, Mapping) and body and all(str(key) in names and key != BODY for key in body):
            given = {**given, **{str(key): value for key, value in body.items()}}
        elif body is not None:
            given[BODY] = body
        free = [name for name in names if name not in given and name != BODY]
        if len(positional) > len(free):
            raise MacroArgumentError(f"value {positional[len(free)]!r} belongs to no argument; write key:value")
        given.update(zip(free, positional, strict=False))
        unknown = next((name for name in given if name not in names), None)
        if unknown is not None:
            may = f"it takes {', '.join(names)}" if names else "it takes none"
            raise MacroArgumentError(f"there is no argument {unknown!r}; {may}")
        return {parameter.name: _check(parameter, given) for parameter in self.parameters}


def _check(parameter: Parameter, given: Mapping[str, Any]) -> Any:
    if parameter.name not in given:
        if parameter.required:
            raise MacroArgumentError(f"argument {parameter.name!r} is missing; it is {parameter.type_name}")
        return parameter.default
    value = given[parameter.name]
    try:
        return parameter.adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f" at {part}" for part in first["loc"] if isinstance(part, int))
        message = f"argument {parameter.name!r} must be {parameter.type_name}, not {str(value)[:60]!r}{where}"
        raise MacroArgumentError(message) from error


@overload
def macro(function: MacroFunction) -> Macro: ...


@overload
def macro(*, cache: float) -> Callable[[MacroFunction], Macro]: ...


def macro(function: MacroFunction | None = None, *, cache: float = 0) -> Macro | Callable[[MacroFunction], Macro]:
    """Declare a macro: name, arguments, types and defaults are those of the function, whose first argument is ``ctx``.

    :param cache: seconds that what it shows is kept, for the same arguments and viewer, unless its topics change.
    :raises StartError: if an argument has no type, naming file and line.
    """
    if function is None:
        return lambda found: _declare(found, cache)
    return _declare(function, cache)


def _declare(function: MacroFunction, cache: float) -> Macro:
    hints = typing.get_type_hints(function, _names(function), include_extras=True)
    parameters = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.name not in hints:
            code = function.__code__
            raise StartError(
                f"{code.co_filename}:{code.co_firstlineno}: argument {parameter.name} of macro has no type."
            )
        parameters.append(_parameter(parameter, hints[parameter.name]))
    return Macro(function.__name__.rstrip("_"), inspect.getdoc(function) or "", tuple(parameters), function, cache)


def _names(function: MacroFunction) -> dict[str, Any]:
    """Return the names that a macro's types may use, also those that its module imports for type checking only."""
    from portalfw.wiki.context import MacroContext

    return {"MacroContext": MacroContext, "Block": Block, **function.__globals__}


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    accepted: Any = Annotated[hint, BeforeValidator(_listed)] if _is_list(hint) else hint
    return Parameter(parameter.name, _type_name(hint), required, default, TypeAdapter(accepted))


def _is_list(hint: Any) -> bool:
    """Tell whether a list is wanted where text would be wrong."""
    kinds = {
        typing.get_origin(part) or part for part in (get_args(hint) if typing.get_origin(hint) is not list else (hint,))
    }
    return list in kinds and str not in kinds


WORDS = {
    int: "a whole number",
    str: "text",
    bool: "true or false",
    float: "a number",
    dict: "an object",
    list: "a list",
}


def _type_name(hint: Any) -> str:
    if hint == Address:
        return "an API address (app/actor/method)"
    origin, arguments = typing.get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin is Literal:
        return "one of " + ", ".join(str(value) for value in arguments)
    if origin in {list, dict} or not arguments:
        return WORDS.get(origin or hint, str(getattr(hint, "__name__", hint)))
    return " or ".join(_type_name(part) for part in arguments if part is not type(None))


class Macros:
    """The macros that an installation's pages may use, by name; a later one of the same name wins."""

    def __init__(self, macros: Mapping[str, Macro]) -> None:
        """Take the macros by name."""
        self._macros = dict(macros)

    @classmethod
    def of_modules(cls, modules: typing.Iterable[ModuleType]) -> Macros:
        """Collect the macros that modules themselves declare."""
        return cls(_declared(modules))

    def replace(self, modules: typing.Iterable[ModuleType]) -> None:
        """Take the macros that the modules declare instead of those until now."""
        self._macros = _declared(modules)

    def find(self, name: str) -> Macro:
        """Return a macro.

        :raises MacroNotFoundError: if there is none.
        """
        try:
            return self._macros[name]
        except KeyError:
            raise MacroNotFoundError(f"there is no macro {name!r}") from None

    def __iter__(self) -> typing.Iterator[Macro]:
        """Iterate over all macros by name."""
        return iter(self._macros[name] for name in sorted(self._macros))


def _declared(modules: typing.Iterable[ModuleType]) -> dict[str, Macro]:
    return {
        value.name: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Macro) and value.function.__module__ == module.__name__
    }
