"""How an actor is written: a class of methods, each with a right; everything else follows from the signature."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from portalfw.errors import StartError
from portalfw.rest.arguments import Arg, argument_model
from portalfw.rest.columns import Columns
from portalfw.rest.listing import Gathered, Listing
from portalfw.rest.naming import wire_name

if TYPE_CHECKING:
    from portalfw.rest.dispatch import Call
    from portalfw.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")


@dataclass(frozen=True)
class Argument:
    """One argument of a method as callers see it."""

    name: str
    wire: str
    type_name: Literal["int", "float", "bool", "str", "list", "object"]
    required: bool
    default: Any
    options: tuple[str, ...]  # the values of a Literal
    label: str
    help: str
    choices: str | None
    secret: bool
    multiline: bool


@dataclass(frozen=True)
class Declaration:
    """What ``@method`` was told."""

    right: str
    http: tuple[str, ...]
    readonly: bool
    live: tuple[str, ...]
    destructive: bool
    title: str | None
    creates: str | None
    secret: bool
    minor: bool


@dataclass(frozen=True)
class Method:
    """One method of an actor, as declared: what it needs, who may call it, what it does."""

    app: str
    actor: str
    name: str
    title: str
    doc: str
    declaration: Declaration
    arguments: tuple[Argument, ...]
    model: type[BaseModel]
    actor_class: type[Actor]
    attribute: str
    gathered: Gathered | None = None  # how a list's paging, sorting and filters reach it

    @property
    def address(self) -> str:
        """``app/actor/method`` as it stands in URLs."""
        return f"{self.app}/{self.actor}/{self.name}"

    @property
    def destructive(self) -> bool:
        """Whether forms must ask before calling it."""
        return self.declaration.destructive


def method(
    *,
    right: str,
    http: tuple[str, ...] = ("POST",),
    readonly: bool = False,
    live: tuple[str, ...] = (),
    destructive: bool = False,
    title: str | None = None,
    creates: str | None = None,
    secret: bool = False,
    minor: bool = False,
) -> Callable[[F], F]:
    """Declare a method of an actor.

    :param right: ``guest``, ``login``, ``group:a,b`` or ``resource:LETTERS``; alternatives joined by ``|``.
    :param http: the verbs it answers; reading methods usually take ``("GET", "POST")``.
    :param readonly: it changes nothing, so its audit record may be written a moment later, and GET may call it.
    :param live: topics whose change may alter the answer, as format strings over the arguments.
    :param destructive: forms ask for confirmation.
    :param title: the words on its button; made from the name if not given.
    :param creates: what the answer is the id of, as arguments call it (``machineId``), for the audit record.
    :param secret: the answer is a secret: it goes to the caller only and is kept nowhere, so no task may have it.
    :param minor: it keeps what helps the caller work, such as a draft every few seconds; only failures are on record.
    """

    def declare(function: F) -> F:
        function.__declaration__ = Declaration(right, http, readonly, live, destructive, title, creates, secret, minor)  # type: ignore[attr-defined]
        return function

    return declare


class Actor:
    """Base of all actors: ``class Machines(Actor, app="cloudapi")`` answers at ``/restmachine/cloudapi/machines/``.

    An instance lives for one call; ``call`` says who asks, ``service`` gives the services that do the work.
    """

    app: ClassVar[str] = ""
    actor: ClassVar[str] = ""

    def __init_subclass__(cls, *, app: str, name: str | None = None) -> None:
        """Note where the actor answers."""
        cls.app = app
        cls.actor = name or cls.__name__.lower()

    def __init__(self, runtime: Runtime, call: Call) -> None:
        """Bind the actor to one call."""
        self.runtime = runtime
        self.call = call

    def service(self, factory: Callable[[Runtime], S]) -> S:
        """Return the process's one instance of a service."""
        return self.runtime.service(factory)


def methods_of(actor_class: type[Actor]) -> list[Method]:
    """Return the declared methods of an actor class.

    :raises StartError: if a public method has no right or an argument no type, naming file and line.
    """
    found = []
    for attribute, function in inspect.getmembers(actor_class, inspect.isfunction):
        if attribute.startswith("_") or attribute in Actor.__dict__:
            continue
        declaration = getattr(function, "__declaration__", None)
        if declaration is None:
            raise StartError(
                f"{_place(function)}: {actor_class.__name__}.{attribute} declares no right; add @method(right=…)."
            )
        found.append(_method(actor_class, attribute, function, declaration))
    return found


def _method(actor_class: type[Actor], attribute: str, function: Callable[..., Any], declaration: Declaration) -> Method:
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    for parameter in parameters:
        if parameter.name not in hints:
            raise StartError(f"{_place(function)}: argument {parameter.name} of {attribute} has no type.")
    gathered = _gathered(function, parameters, hints)
    if gathered is not None:
        parts, types_of_parts = gathered.parameters()
        parameters = [parameter for parameter in parameters if parameter.name != gathered.name] + parts
        hints |= types_of_parts
    extras = {parameter.name: _arg(hints[parameter.name]) for parameter in parameters}
    wires = {name: extra.wire or wire_name(name) for name, extra in extras.items()}
    doc = inspect.getdoc(function) or ""
    title = declaration.title or attribute.rstrip("_").replace("_", " ").capitalize()
    return Method(
        app=actor_class.app,
        actor=actor_class.actor,
        name=wire_name(attribute),
        title=title,
        doc=doc,
        declaration=declaration,
        arguments=tuple(
            _argument(parameter, hints[parameter.name], extras[parameter.name], wires[parameter.name])
            for parameter in parameters
        ),
        model=argument_model(f"{actor_class.__name__}_{attribute}", parameters, hints, wires),
        actor_class=actor_class,
        attribute=attribute,
        gathered=gathered,
    )


def _gathered(
    function: Callable[..., Any], parameters: list[inspect.Parameter], hints: dict[str, Any]
) -> Gathered | None:
    name = next((parameter.name for parameter in parameters if bare(hints[parameter.name]) is Listing), None)
    if name is None:
        return None
    columns = next((extra for extra in getattr(hints[name], "__metadata__", ()) if isinstance(extra, Columns)), None)
    if columns is None:
        raise StartError(f"{_place(function)}: {name} declares no columns; write Annotated[Listing, Columns(…)].")
    return Gathered(name, columns)


def _arg(hint: Any) -> Arg:
    if get_origin(hint) is typing.Annotated:
        return next((extra for extra in hint.__metadata__ if isinstance(extra, Arg)), Arg())
    return Arg()


def _argument(parameter: inspect.Parameter, hint: Any, extra: Arg, wire: str) -> Argument:
    required = parameter.default is inspect.Parameter.empty
    return Argument(
        name=parameter.name,
        wire=wire,
        type_name=type_name(hint),
        required=required,
        default=None if required else parameter.default,
        options=tuple(str(value) for value in get_args(bare(hint))) if get_origin(bare(hint)) is Literal else (),
        label=extra.label or parameter.name.removesuffix("_id").replace("_", " ").strip().capitalize(),
        help=extra.help,
        choices=extra.choices,
        secret=extra.secret,
        multiline=extra.multiline,
    )


def bare(hint: Any) -> Any:
    """Return the hint without ``Annotated`` and ``| None``."""
    if get_origin(hint) is typing.Annotated:
        return bare(get_args(hint)[0])
    if get_origin(hint) in {Union, types.UnionType}:
        return bare(next(part for part in get_args(hint) if part is not type(None)))
    return hint


def type_name(hint: Any) -> Literal["int", "float", "bool", "str", "list", "object"]:
    """Return the word that forms and documents use for a type."""
    plain = bare(hint)
    if get_origin(plain) is list or plain is list:
        return "list"
    if get_origin(plain) is Literal:
        return "str"
    words: dict[Any, Literal["int", "float", "bool", "str"]] = {int: "int", float: "float", bool: "bool", str: "str"}
    return words.get(plain, "object")


def _place(function: Callable[..., Any]) -> str:
    code = function.__code__
    return f"{code.co_filename}:{code.co_firstlineno}"
