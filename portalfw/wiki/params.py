"""The query parameters that a page declares: ``id: int``, ``gid: int?``, ``state: str = RUNNING``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portalfw.errors import InvalidError
from portalfw.wiki.errors import PageSyntaxError

DECLARATION = re.compile(r"(int|str|float|bool)(\?)?(?:\s*=\s*(.*))?")
WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}
TRUTH = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
LARGEST = 2**63


@dataclass(frozen=True)
class Param:
    """One declared query parameter."""

    name: str
    type_name: str
    required: bool
    default: Any

    def read(self, params: Mapping[str, str]) -> Any:
        """Return the parameter's value out of the query.

        :raises InvalidError: naming it, if it is missing or malformed.
        """
        given = params.get(self.name, "")
        if given == "":
            if self.required:
                raise self._wrong(f"The address lacks {self.name}: add ?{self.name}=… ({WORDS[self.type_name]}).")
            return self.default
        try:
            return convert(self.type_name, given)
        except (ValueError, KeyError, OverflowError):
            raise self._wrong(
                f"{self.name} in the address must be {WORDS[self.type_name]}, not {given[:60]!r}."
            ) from None

    def _wrong(self, message: str) -> InvalidError:
        return InvalidError(message, detail={"argument": self.name})


def convert(type_name: str, given: str) -> Any:
    """Return a query text as a value of its declared type."""
    if type_name == "int":
        if not re.fullmatch(r"-?\d{1,19}", given) or abs(int(given)) >= LARGEST:
            raise ValueError(given)
        return int(given)
    if type_name == "float":
        return float(given)
    return TRUTH[given.lower()] if type_name == "bool" else given


def read_params(declared: object, line: int) -> tuple[Param, ...]:
    """Return the parameters that a front matter declares.

    :raises PageSyntaxError: if a declaration cannot be understood.
    """
    if declared is None:
        return ()
    if not isinstance(declared, Mapping):
        raise PageSyntaxError("params must be lines of name: type", line)
    return tuple(_param(str(name), str(words), line) for name, words in declared.items())


def _param(name: str, words: str, line: int) -> Param:
    found = DECLARATION.fullmatch(words.strip())
    if not found:
        message = f"parameter {name} must be int, str, float or bool, with ? if optional or = default, not {words!r}"
        raise PageSyntaxError(message, line)
    type_name, optional, default = found.groups()
    try:
        value = convert(type_name, default.strip()) if default else None
    except (ValueError, KeyError):
        raise PageSyntaxError(f"the default of parameter {name} is not {WORDS[type_name]}: {default!r}", line) from None
    return Param(name, type_name, required=not optional and default is None, default=value)
