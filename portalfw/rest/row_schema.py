"""What a TypedDict of an answer tells beyond its types: which fields may be missing, and what they mean."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

_FIELD = re.compile(r"^    (\w+): [^#\n]+  # (.+)$", re.MULTILINE)
_FOR_TOOLS = ("noqa", "type:")


def field_types(row: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the types of a TypedDict's fields, and the names of those that are always there.

    ``__required_keys__`` is wrong where annotations are texts, so ``NotRequired`` is looked for here.
    """
    hints = typing.get_type_hints(row, include_extras=True)
    optional = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
    required = sorted(row.__required_keys__ - optional)
    return {name: typing.get_args(hint)[0] if name in optional else hint for name, hint in hints.items()}, required


@cache
def comments(row: Any) -> Mapping[str, str]:
    """Return what the comments beside the fields of a TypedDict say, those of its bases too."""
    bases, body = _source(row)
    found: dict[str, str] = {}
    for base in bases:
        found |= comments(base)
    return found | {name: said for name, said in _FIELD.findall(body) if not said.startswith(_FOR_TOOLS)}


def _source(row: Any) -> tuple[list[Any], str]:
    """Return the TypedDicts that one extends, which Python 3.11 keeps only in the source, and the text of its body."""
    module = sys.modules.get(row.__module__)
    match = re.search(rf"^class {row.__name__}\(([\w\s,=]*)\):\n((?:    .*\n|\n)*)", _text(module), re.MULTILINE)
    if not match:
        return [], ""  # not made by a class in a file
    found = (getattr(module, name.strip(), None) for name in match[1].split(","))
    return [base for base in found if typing.is_typeddict(base)], match[2]


@cache
def _text(module: ModuleType | None) -> str:
    try:
        return inspect.getsource(module) if module else ""
    except (OSError, TypeError):
        return ""
