"""A typed Python client of a portal as the text of one file, made from its OpenAPI document."""

from __future__ import annotations

import keyword
import textwrap
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from portalfw.cli.remote import Operation, RemoteError
from portalfw.cli.words import snake

Schema = dict[str, Any]
BASE = Path(__file__).with_name("client_base.py")
SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "null": "None"}
BUILTIN = frozenset({"list", "dict", "type", "id", "all", "any", "format", "filter", "set", "self"})
REF = "#/components/schemas/"


def client_file(operations: Iterable[Operation], schemas: Mapping[str, Schema]) -> str:
    """Return the text of a module with the class ``Client``: ``Client(url, token).cloudapi.machines.get(…)``."""
    found = list(operations)
    apps = [(name, list(ones)) for name, ones in groupby(found, lambda one: one.app)]
    rows = _named(found, schemas)
    parts = [
        _head(),
        *(_row(name, schemas[name]) for name in rows),
        *(text for name, ones in apps for text in _app(name, ones)),
        _client(name for name, _ in apps),
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _head() -> str:
    base = BASE.read_text().split('"""', 2)[2]
    base = base.replace("from typing import Any\n", "from typing import Any, Literal, NotRequired, TypedDict\n")
    base = base.replace(
        "import requests\n",
        "import requests\n\n__all__ = ['ApiError', 'Client', 'Literal', 'NotRequired', 'TypedDict']\n",
        1,
    )
    return '"""Client of a portal, written by `portalfw client`; write it anew instead of changing it."""' + base


def _named(operations: list[Operation], schemas: Mapping[str, Schema]) -> list[str]:
    """Return the typed rows that answers name, those that they name in turn included."""
    waiting = [name for one in operations for name in _refs(one.answer)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _refs(schemas[name])
    return sorted(found)


def _refs(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for part in schema for name in _refs(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(REF)] if "$ref" in schema else []
    return own + [name for part in schema.values() for name in _refs(part)]


def _row(name: str, schema: Schema) -> str:
    """Write a typed row; the form with a dictionary takes names that Python could not spell."""
    lines = [f"{_checked(name)} = TypedDict({name!r}, {{"]
    always = schema.get("required", ())
    for field, part in schema.get("properties", {}).items():
        kind = python_type(part)
        lines.append(f"    {field!r}: {kind if field in always else f'NotRequired[{kind}]'!r},")
    return "\n".join([*lines, "})"])


def python_type(schema: Schema) -> str:
    """Return the type of a schema as Python spells it."""
    if "$ref" in schema:
        return _checked(str(schema["$ref"]).removeprefix(REF))
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(python_type(part) for part in schema["anyOf"]))
    kind = schema.get("type")
    if kind == "array":
        return f"list[{python_type(schema.get('items', {}))}]"
    return "dict[str, Any]" if kind == "object" else SCALARS.get(str(kind), "Any")


def _app(name: str, operations: list[Operation]) -> list[str]:
    actors = [(actor, list(ones)) for actor, ones in groupby(operations, lambda one: one.actor)]
    lines = [
        f"class {_class(name)}:",
        f'    """Actors of {name}."""',
        "",
        "    def __init__(self, transport: Transport) -> None:",
        '        """Bind the actors to a portal."""',
        *(f"        self.{_name(actor)} = {_class(name, actor)}(transport)" for actor, _ in actors),
    ]
    return [*(_actor(name, actor, ones) for actor, ones in actors), "\n".join(lines)]


def _actor(app: str, actor: str, operations: list[Operation]) -> str:
    lines = [
        f"class {_class(app, actor)}:",
        f'    """Methods of {app}/{actor}."""',
        "",
        "    def __init__(self, transport: Transport) -> None:",
        '        """Bind the methods to a portal."""',
        "        self._transport = transport",
    ]
    return "\n".join([*lines, *(_method(one) for one in operations)])


def _method(operation: Operation) -> str:
    wires = sorted(operation.properties, key=lambda wire: wire not in operation.required)
    signature = ", ".join(["self", *(["*"] if wires else []), *(_argument(operation, wire) for wire in wires)])
    sent = ", ".join(f"{wire!r}: {_name(wire)}" for wire in wires)
    call = f"self._transport.call({operation.address!r}, {{{sent}}})"
    answer = python_type(operation.answer)
    body = [f"return {call}"] if answer == "Any" else [f"answer: {answer} = {call}", "return answer"]
    lines = [f"def {_name(operation.name)}({signature}) -> {answer}:", _docstring(operation, wires), *body]
    head, *rest = lines
    return "\n" + textwrap.indent("\n".join([head, *(textwrap.indent(line, "    ") for line in rest)]), "    ")


def _argument(operation: Operation, wire: str) -> str:
    kind = python_type(operation.properties[wire])
    if wire in operation.required:
        return f"{_name(wire)}: {kind}"
    return (
        f"{_name(wire)}: {kind} = None"
        if "None" in kind.split(" | ") or kind == "Any"
        else f"{_name(wire)}: {kind} | None = None"
    )


def _docstring(operation: Operation, wires: list[str]) -> str:
    known = [(wire, _about(operation.properties[wire])) for wire in wires]
    lines = [operation.description or operation.summary]
    if known:
        lines += ["", *(f":param {_name(wire)}: {text}" for wire, text in known)]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"', "'")
    return f'"""{text}\n"""' if known else f'"""{text}"""'


def _about(schema: Schema) -> str:
    text = " ".join(str(schema[part]) for part in ("title", "description") if schema.get(part))
    default = schema.get("default")
    return f"{text} (default {default!r})" if default not in (None, "", []) else text


def _client(apps: Iterable[str]) -> str:
    names = list(apps)
    lines = [
        "class Client(Portal):",
        '    """A portal: ``Client(url, token).cloudapi.machines.get(machine_id=3)``."""',
        "",
        "    def __init__(self, url: str, token: str | None = None, timeout: float = 300.0) -> None:",
        '        """Name the portal, the API token, and the seconds that a call may take."""',
        "        super().__init__(url, token, timeout)",
        "        transport = self._transport",
        *(f"        self.{_name(name)} = {_class(name)}(transport)" for name in names),
    ]
    return "\n".join(lines)


def _class(*names: str) -> str:
    return _checked("".join(name[:1].upper() + name[1:] for name in names))


def _name(wire: str) -> str:
    """Return an argument's or method's name in Python; one that Python uses itself gets an underscore."""
    found = _checked(snake(wire))
    return f"{found}_" if keyword.iskeyword(found) or found in BUILTIN else found


def _checked(name: str) -> str:
    """Return a name of the document if it may stand in code: what it says comes from elsewhere.

    :raises RemoteError: if it may not.
    """
    if not name.isidentifier():
        raise RemoteError(f"The portal's document names {name!r}, which cannot be a name in Python.")
    return name
