"""Columns and facts as authors write them: ``Label: field | format -> Page?id={id}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portalfw.wiki import MacroContext
from portalfw.wiki.address import FIELD, field_of
from portalfw.wiki.errors import MacroError
from portalfw.wiki.formats import FORMATS, NUMERIC, Shape, known, shaped

SPEC = re.compile(r"(?P<what>.+?)(?P<formats>(?:\s*\|\s*[\w-]+)*)\s*(?:->\s*(?P<link>.+))?", re.DOTALL)
WIDTHS = ("num", "long", "keep", "sort")


@dataclass(frozen=True)
class Column:
    """One column or fact: what it shows of a row, how, and where it leads."""

    label: str
    what: str  # a field, or a text with {field}s
    formats: tuple[str, ...] = ()
    link: str | None = None
    note: str | None = None  # field shown behind in small grey
    two: str | None = None  # field shown below in grey
    look: Mapping[str, Any] | None = None

    def head(self) -> dict[str, Any]:
        """Return the column as ``table.html`` wants it."""
        numeric = bool(NUMERIC & set(self.formats))
        return {"label": self.label, "num": numeric, **(self.look or {})}

    def value(self, ctx: MacroContext, row: Mapping[str, Any]) -> Shape:
        """Return what the column shows of a row."""
        shape = self._shape(row)
        leads = all(known(field_of(row, name)) for name in FIELD.findall(self.link or ""))
        if self.link and leads and known(shape.get("text", shape.get("at"))):
            shape["href"] = ctx.link(self.link, row)
        for name, field in (("note", self.note), ("two", self.two)):
            if field and known(field_of(row, field)):
                shape[name] = field_of(row, field)
        return shape

    def _shape(self, row: Mapping[str, Any]) -> Shape:
        if FIELD.search(self.what):
            value: Any = FIELD.sub(lambda found: str(field_of(row, found[1])), self.what)
        else:
            value = field_of(row, self.what)
        shape = shaped(value, self.formats[0] if self.formats else "text")
        for name in self.formats[1:]:
            shape = Shape({**shape, **{part: True for part in (name,) if part in {"mono", "copy"}}})
        if isinstance(value, bool):
            return Shape(text="Yes" if value else "No")
        return shape


def read_columns(given: Mapping[str, Any] | list[Any]) -> list[Column]:
    """Return the columns that an author described: a mapping by label, or a list of mappings with ``label``.

    :raises MacroError: naming the column that cannot be understood.
    """
    if isinstance(given, Mapping):
        return [_column(str(label), spec) for label, spec in given.items()]
    columns = []
    for one in given:
        if isinstance(one, Mapping) and len(one) == 1:
            columns += [_column(str(label), spec) for label, spec in one.items()]
        elif isinstance(one, Mapping):
            columns.append(_column(str(one.get("label") or one.get("field") or ""), one))
        else:
            columns.append(_column(str(one).capitalize(), one))
    return columns


def _column(label: str, spec: Any) -> Column:
    if not isinstance(spec, Mapping):
        return _spec(label, str(spec), {})
    return _spec(label, str(spec.get("field", "")), spec)


def _spec(label: str, spec: str, rest: Mapping[str, Any]) -> Column:
    found = SPEC.fullmatch(spec.strip())
    if not found:
        raise MacroError(f"column {label!r} names no field; write Label: field | format -> Page?id={{id}}")
    formats = tuple(part.strip() for part in found["formats"].split("|") if part.strip())
    formats = (*formats, *([str(rest["format"])] if "format" in rest else []))
    for name in formats:
        if name not in FORMATS:
            raise MacroError(f"column {label!r}: there is no format {name!r}; there are {', '.join(FORMATS)}")
    look = {name: rest[name] for name in WIDTHS if name in rest}
    link = found["link"] or rest.get("link")
    return Column(label, found["what"], formats, link and str(link).strip(), rest.get("note"), rest.get("two"), look)
