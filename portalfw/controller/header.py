"""Reading a JumpScript without running it: its header's literals and the arguments of its ``action``."""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from portalfw.errors import InvalidError

FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "descr": (str,),
    "organization": (str,),
    "author": (str,),
    "name": (str,),
    "category": (str,),
    "license": (str,),
    "version": (str,),
    "roles": (list, tuple),
    "queue": (str,),
    "period": (int, float, str),
    "order": (int,),
    "timeout": (int, float),
    "enable": (bool,),
    "startatboot": (bool,),
    "log": (bool,),
    "idempotent": (bool,),
    "secrets": (list, tuple),
    "offline": (bool,),
    "memory": (int,),
    "cpu": (int, float),
    "daemons": (bool,),
}
"""What a header may say, and the types it may have."""

QUEUES: Final = ("default", "io", "hypervisor", "process", "console")
TIMEOUTS: Final = {"io": 3600.0}
LIMITS: Final = ("memory", "cpu", "daemons")
"""Fields of a header that the agent holds its script to, besides the timeout."""

DEFAULT_TIMEOUT: Final = 300.0
"""Seconds, where the header says nothing (as in the originals, by queue)."""


@dataclass(frozen=True)
class Argument:
    """One argument of ``action``; ``type`` is its annotation as written, empty if there is none."""

    name: str
    type: str
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Header:
    """What a JumpScript says of itself. Timeout in seconds; period in seconds, or a cron string, or None.

    ``secrets`` names arguments that nobody is shown, with dots: ``machine.seed.userdata``. What is called a password,
    secret, token, credential or key is not shown anyhow. ``offline`` keeps it running where no controller is reached.
    ``memory`` (MiB) and ``cpu`` (seconds of processor time) are what it may use, by default what is usual in its queue;
    with ``daemons``, what it starts may outlive it.
    """

    descr: str
    name: str
    organization: str = ""
    author: str = ""
    category: str = ""
    license: str = ""
    version: str = ""
    roles: tuple[str, ...] = ()
    queue: str = "default"
    period: float | str | None = None
    order: int = 0
    timeout: float = DEFAULT_TIMEOUT
    enable: bool = True
    startatboot: bool = False
    log: bool = True
    idempotent: bool = False
    secrets: tuple[str, ...] = ()
    offline: bool = False
    memory: int | None = None
    cpu: float | None = None
    daemons: bool = False
    arguments: tuple[Argument, ...] = field(default=())
    open_arguments: bool = False

    def to_row(self) -> dict[str, Any]:
        """Return the header's literals as plain data, without the arguments."""
        row = {name: value for name, value in asdict(self).items() if name in FIELDS}
        return {**row, "roles": list(self.roles), "secrets": list(self.secrets)}


def read_header(source: str, name: str = "") -> Header:
    """Read a JumpScript's header and arguments; nothing of it is run.

    Args:
        source: the text of the file.
        name: used where the header names none.

    Raises:
        InvalidError: it is not Python, the header is not made of literals, or ``action`` is missing; says where.

    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise InvalidError(f"it is not Python: {where}{error.msg}") from error
    except ValueError as error:
        raise InvalidError(f"it is not Python: {error}") from error
    literals = {name: _literal(name, node) for name, node in _assigned(tree).items()}
    action = next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "action"), None)
    if action is None:
        raise InvalidError("it has no function action()")
    if not literals.get("descr"):
        raise InvalidError("its header has no descr")
    queue = literals.setdefault("queue", "default")
    if queue not in QUEUES:
        raise InvalidError(f"its queue is {queue!r}; choose one of {', '.join(QUEUES)}")
    literals.setdefault("timeout", TIMEOUTS.get(queue, DEFAULT_TIMEOUT))
    if literals.get("offline") and not isinstance(literals.get("period"), (int, float)):
        raise InvalidError("it is to run offline, which needs a period in seconds")
    for limit in ("timeout", "memory", "cpu"):
        if literals.get(limit, 1) <= 0:
            raise InvalidError(f"its {limit} is {literals[limit]!r}; it must be more than 0")
    literals.setdefault("name", name)
    for name_list in ("roles", "secrets"):
        literals[name_list] = tuple(literals.get(name_list, ()))
    return Header(**literals, arguments=tuple(_arguments(action.args)), open_arguments=action.args.kwarg is not None)


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the header's fields are set to; the last assignment counts."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in FIELDS:
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in FIELDS:
                found[name] = value
    return found


def _literal(name: str, node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise InvalidError(f"line {node.lineno}: {name} must be a literal") from error
    allowed = FIELDS[name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise InvalidError(
            f"line {node.lineno}: {name} is {value!r}, not {' or '.join(kind.__name__ for kind in allowed)}"
        )
    return value


def _arguments(found: ast.arguments) -> list[Argument]:
    names = [*found.posonlyargs, *found.args]
    if found.posonlyargs or found.vararg:
        raise InvalidError("action() is called with named arguments; it may not have positional-only ones or *args")
    defaults: list[ast.expr | None] = [None] * (len(names) - len(found.defaults))
    pairs = [*zip(names, [*defaults, *found.defaults], strict=True)]
    pairs += zip(found.kwonlyargs, found.kw_defaults, strict=True)
    return [_argument(name, default) for name, default in pairs]


def _argument(name: ast.arg, default: ast.expr | None) -> Argument:
    annotation = ast.unparse(name.annotation) if name.annotation else ""
    value = None
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except ValueError as error:
            raise InvalidError(f"line {default.lineno}: the default of {name.arg} must be a literal") from error
    return Argument(name.arg, annotation, default is None, value)
