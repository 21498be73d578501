"""What a TypedDict of an answer tells beyond its types: which fields may be missing, and what they mean."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from typing import Any

_FIELD = re.compile(r"^    (\w+): [^#\n]+  # (.+)$", re.MULTILINE)
_BASES = re.compile(r"^class \w+\(([\w\s,]+)", re.MULTILINE)
_FOR_TOOLS = ("noqa", "type:")


def field_types(row: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the types of a TypedDict's fields, and the names of those that are always there.

    ``__required_keys__`` is wrong where annotations are texts, so ``NotRequired`` is looked for here.
    """
    hints = typing.get_type_hints(row, include_extras=True)
    optional = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
    required = sorted(row.__required_keys__ - optional)
    return {name: typing.get_args(hint)[0] if name in optional else hint for name, hint in hints.items()}, required


def comments(row: Any) -> dict[str, str]:
    """Return what the comments beside the fields of a TypedDict say, those of its bases too."""
    try:
        text = inspect.getsource(row)
    except (OSError, TypeError):
        return {}  # made without a file
    found: dict[str, str] = {}
    for base in _bases(row, text):
        found |= comments(base)
    return found | {name: said for name, said in _FIELD.findall(text) if not said.startswith(_FOR_TOOLS)}


def _bases(row: Any, text: str) -> list[Any]:
    """Return the TypedDicts that one extends; Python 3.11 keeps them only in the source."""
    match = _BASES.search(text)
    names = [name.strip() for name in match[1].split(",")] if match else []
    module = sys.modules[row.__module__]
    return [base for base in (getattr(module, name, None) for name in names) if typing.is_typeddict(base)]
