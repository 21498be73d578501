"""One page: a Markdown file of a space, compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from portalfw.wiki import address
from portalfw.wiki.data import DataCall, read_data
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.expressions import Text, Value, compile_text, compile_value
from portalfw.wiki.params import Param, read_params
from portalfw.wiki.rights import Rights, read_rights
from portalfw.wiki.scan import scan
from portalfw.wiki.source import Source, read_source

CHAPTER = re.compile(r"^## ", re.MULTILINE)
FEW_CHAPTERS = 3
CONTENTS = "{{toc}}\n\n"


@dataclass(frozen=True)
class Page:
    """A page, ready to render."""

    space: str
    name: str
    file: Path
    modified: float  # epoch seconds
    source: Source
    params: tuple[Param, ...]
    data: tuple[DataCall, ...]
    body: Text
    title: Value
    parent: Value
    state: Value
    sub: Text | None
    actions: Text | None
    rights: Rights
    place: str = "."  # the folder within the space in which its file lies

    @property
    def path(self) -> str:
        """The page's address: ``/space/Name``."""
        return f"/{self.space}/{self.name}"

    @cached_property
    def names_viewer(self) -> bool:
        """Whether the text may say who looks at it, by the variable ``user``."""
        return "user" in self.source.text

    @property
    def base(self) -> str:
        """The address below which the page's relative links are."""
        return f"/{quote(self.space)}/"

    @property
    def label(self) -> str:
        """The page's name for lists: its title unless that is made from data."""
        title = self.source.meta.get("title")
        return str(title) if title and "${" not in str(title) else self.name

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of the page, whose addresses lead to it."""
        given = self.source.meta.get("aliases")
        return tuple(str(name) for name in (given if isinstance(given, list) else [given] if given else []))

    @property
    def order(self) -> tuple[float, str]:
        """What lists of pages are sorted by."""
        order = self.source.meta.get("order")
        return (float(order) if isinstance(order, (int, float)) else 1000.0, self.label.casefold())

    @property
    def above(self) -> str | None:
        """The key of the page that this one is a child of: the last of its ``parent``."""
        parent = self.source.meta.get("parent")
        target = list(parent.values())[-1] if isinstance(parent, Mapping) and parent else parent
        return address.page_key(str(target).partition("?")[0]) if target else None

    @property
    def icon(self) -> str | None:
        """The page's icon, a name of bootstrap-icons."""
        icon = self.source.meta.get("icon")
        return str(icon) if icon else None

    @property
    def revision(self) -> str:
        """When the page was edited."""
        when = datetime.fromtimestamp(self.modified, UTC)
        return f"Edited {when.day} {when:%b %Y}"

    def link(self, target: str, values: Mapping[str, Any]) -> str:
        """Return the address of a link on this page; ``{field}``s are filled from ``values``."""
        return address.link(target, self.base, values)


def read_page(space: str, name: str, file: Path, modified: float, *, place: str = ".", toc: bool = False) -> Page:
    """Read and compile a page, see :func:`compile_page`.

    :raises PageSyntaxError: naming the line.
    :raises OSError: if the file went away.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PageSyntaxError(f"the file is not UTF-8 text ({error.reason} at byte {error.start})", 1) from error
    return compile_page(space, name, file, modified, text, place=place, toc=toc)


def compile_page(
    space: str, name: str, file: Path, modified: float, text: str, *, place: str = ".", toc: bool = False
) -> Page:
    """Compile a page's source.

    :param place: the folder within the space that relative images of the page begin at.
    :param toc: put its contents before a text of several chapters.

    :raises PageSyntaxError: naming the line.
    """
    source = _with_contents(read_source(text)) if toc else read_source(text)
    meta, lines = source.meta, source.meta_lines
    return Page(
        space=space,
        name=name,
        file=file,
        modified=modified,
        source=source,
        params=read_params(meta.get("params"), lines.get("params", 1)),
        data=read_data(meta.get("data"), lines.get("data", 1), lines),
        body=compile_text(scan(source.body, source.body_line), source.body_line),
        title=compile_value(meta.get("title") or name, lines.get("title", 1)),
        parent=compile_value(meta.get("parent"), lines.get("parent", 1)),
        state=compile_value(meta.get("state"), lines.get("state", 1)),
        sub=_meta_text(source, "sub", 0),
        actions=_meta_text(source, "actions", 1),
        rights=read_rights(meta.get("rights"), f"page {name}"),
        place=place,
    )


def _with_contents(source: Source) -> Source:
    """Put the macro ``toc`` before a text of several chapters that calls no macro itself."""
    text, line = source.body, source.body_line
    if compile_text(scan(text, line), line).call_names or len(CHAPTER.findall(text)) < FEW_CHAPTERS:
        return source
    line -= CONTENTS.count("\n")
    return replace(source, meta={"layout": "prose", **source.meta}, body=CONTENTS + text, body_line=line)


def _meta_text(source: Source, key: str, below: int) -> Text | None:
    text = source.meta.get(key)
    if text is None:
        return None
    line = source.meta_lines.get(key, 1) + below
    return compile_text(scan(str(text), line), line)
