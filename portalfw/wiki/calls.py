"""Macro calls in a page: ``{{name key:value}}``, ``{{name: key:value}}``, or with a YAML body up to a line ``}}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from portalfw.wiki.words import END, WordError, read_words

NAME = re.compile(r"\{\{[ \t]*([A-Za-z][\w-]*)(?::(?=[\s}]))?(?=[\s}])")
BODY_END = re.compile(r"^[ \t]*\}\}[ \t]*$", re.MULTILINE)
BODY = "body"


@dataclass(frozen=True)
class MacroCall:
    """One macro call as written: texts may still hold ``${…}``."""

    name: str
    line: int  # in the file
    source: str
    named: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[str, ...] = ()
    body: Any = None  # what the YAML body holds
    problem: str | None = None  # why the call could not be read

    @property
    def end_lines(self) -> int:
        """How many line ends the call spans."""
        return self.source.count("\n")


def read_call(text: str, start: int, line: int) -> tuple[MacroCall, int] | None:
    """Read the call that begins at ``start``; return it and the position behind it, None if it is mere text."""
    found = NAME.match(text, start)
    if not found:
        return None
    name = found[1].replace("-", "_").lower()
    try:
        words, position, closed = read_words(text, found.end(), end=END)
        body, position = (None, position) if closed else _body(text, position)
    except WordError as error:
        behind = text.find("\n", start)
        position = behind if behind >= 0 else len(text)
        return MacroCall(name, line, text[start:position], problem=str(error)), position
    named = {word.key: word.value for word in words if word.key}
    positional = tuple(word.value for word in words if not word.key)
    return MacroCall(name, line, text[start:position], named, positional, body), position


def _body(text: str, start: int) -> tuple[Any, int]:
    close = BODY_END.search(text, start)
    if not close:
        raise WordError("the call is not closed: end it with }} on the same line, or alone on a later line")
    try:
        return yaml.safe_load(text[start : close.start()]), close.end()
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line} of the body" if error.problem_mark else ""
        raise WordError(f"the body is not YAML: {error.problem}{where}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WordError(f"the body is not YAML: {error}") from error
