"""The source of a page: YAML front matter between two lines ``---``, then the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from portalfw.wiki.errors import PageSyntaxError

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)(?:^---[ \t]*$\n?|\Z)", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"\s*# +([^\n{$\[<&\\]+?)[ #]*(?:\n|\Z)")
KNOWN = frozenset(
    (
        "title",
        "state",
        "sub",
        "actions",
        "data",
        "params",
        "rights",
        "refresh",
        "order",
        "icon",
        "parent",
        "layout",
        "hidden",
        "aliases",
        "shows",
    )
)


@dataclass(frozen=True)
class Source:
    """A page's source, taken apart."""

    text: str
    meta: Mapping[str, Any]
    body: str
    body_line: int  # line of the file on which the body begins, counting from 1
    meta_lines: Mapping[str, int]  # line on which each key of the front matter stands


def read_source(text: str) -> Source:
    """Take a page's source apart; a text without ``title`` that begins with a heading is called so.

    :raises PageSyntaxError: if the front matter is not a YAML mapping of known keys, naming the line.
    """
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    found = FRONT_MATTER.match(text)
    if not found:
        return _titled(Source(text, {}, text, 1, {}))
    meta = _front_matter(found[1])
    lines = {line.partition(":")[0]: number for number, line in enumerate(found[1].split("\n"), 2) if ":" in line}
    unknown = next((key for key in meta if key not in KNOWN), None)
    if unknown is not None:
        message = f"front matter has no key {unknown!r}; it may have {', '.join(sorted(KNOWN))}"
        raise PageSyntaxError(message, lines.get(str(unknown), 1))
    return _titled(Source(text, meta, text[found.end() :], found[0].count("\n") + 1, lines))


def _titled(source: Source) -> Source:
    """Take the heading with which a text begins for its title, as viewers of plain Markdown do."""
    heading = None if "title" in source.meta else HEADING.match(source.body)
    if heading is None:
        return source
    line = source.body_line + heading[0].count("\n")
    title = heading[1].replace("`", "").replace("**", "")
    meta = {**source.meta, "title": title}
    lines = {**source.meta_lines, "title": max(source.body_line, line - 1)}
    return Source(source.text, meta, source.body[heading.end() :], line, lines)


def _front_matter(text: str) -> dict[str, Any]:
    try:
        meta = yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise PageSyntaxError(f"front matter is not YAML: {error.problem}", line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PageSyntaxError(f"front matter is not YAML: {error}", 1) from error
    if not isinstance(meta, dict):
        raise PageSyntaxError("front matter must be lines of key: value", 2)
    return meta
