"""What a viewer wishes of a table whose rows the server pages, sorts and filters; it lies in the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson

from macros.columns import Column
from portalfw.errors import InvalidError
from portalfw.rest import Page
from portalfw.rest.naming import wire_name
from portalfw.wiki import MacroContext

if TYPE_CHECKING:
    from portalfw.rest import Columns
    from portalfw.rest.declaration import Method

SIZES: Final = (20, 50, 100, 500)
FEW: Final = 8  # rows below which nobody searches
LONGEST: Final = 9  # digits of a page number or size


class Wish:
    """The wish for one table: parameters of the address that end in the macro's key."""

    def __init__(self, ctx: MacroContext, method: Method, args: Mapping[str, Any], limit: int) -> None:
        """Read the wish; ``args`` are the author's and cannot be wished away, but for their order."""
        if method.gathered is None:
            raise ValueError(f"{method.address} is no list")
        self._ctx, self._method, self._args = ctx, method, args
        self._columns: Columns = method.gathered.columns
        self.problem = ""
        self.number = max(1, self._whole("page", 1))
        self.size = max(1, min(self._whole("size", limit), max(SIZES)))
        self.search = self._text("find")
        self.sort = self._text("sort")
        self.filters = {name: self._text("where", name) for name in self._columns if self._text("where", name)}

    @property
    def narrowed(self) -> bool:
        """Whether the viewer sees only some of the rows."""
        return bool(self.search or self.filters or self.problem)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the list method."""
        fixed = self._args.get("filter")
        filters = {**self.filters, **(fixed if isinstance(fixed, Mapping) else {})}
        wished = {"search": self.search, "sort": self.sort, "filter": filters or None}
        return {**self._args, **{name: value for name, value in wished.items() if value}}

    def page_arguments(self) -> dict[str, Any]:
        """Return them with the bounds of the page that is shown."""
        return {**self.arguments(), "limit": self.size, "offset": (self.number - 1) * self.size}

    def rows(self, api: str) -> Page[Any]:
        """Return the rows of the page; none, and ``problem`` says why, if the viewer wished what cannot be."""
        try:
            return self._ctx.rows(api, **self.page_arguments())
        except InvalidError as error:
            if not (self.narrowed or self.sort):
                raise
            self.problem = error.message
            return Page([], lambda: 0, lambda: 0)

    def shown(self, columns: list[Column], rows: Page[Any]) -> dict[str, Any]:
        """Return what ``table.html`` needs beside the rows: heads, search, filters, pages, downloads."""
        return {
            "heads": [self._head(column) for column in columns],
            "labels": [column.label for column in columns],
            "search": {"name": self._name("find"), "value": self.search} if self._columns.search else None,
            "narrowed": self.narrowed,
            "filtered": bool(self.filters),
            "tools": self.narrowed or rows.matching >= FEW,
            "action": self._ctx.page.path,
            "problem": self.problem,
            "kept": self._kept(),
            "clear": self._link(
                **dict.fromkeys(self._own("find", "where", "page", *(["sort"] if self.problem else [])))
            ),
            "total": rows.matching,
            "downloads": self._downloads(),
            **self._pager(rows),
        }

    def _head(self, column: Column) -> dict[str, Any]:
        name = next((name for name in (column.what, wire_name(column.what)) if name in self._columns), None)
        asked, down = self.sort.removeprefix("-"), self.sort.startswith("-")
        sorts = name in self._columns.sortable
        following = f"-{name}" if asked == name and not down else name
        return {
            "sort": self._link(**{self._name("sort"): following, self._name("page"): None}) if sorts else None,
            "order": ("descending" if down else "ascending") if name and asked == name else None,
            "filter": self._filter(column.label, name) if name else None,
        }

    def _filter(self, label: str, name: str) -> dict[str, Any]:
        kind = self._columns.kind(name)
        hints = {"number": ">=2", "time": "-4d..", "date": "-4d..", "flag": "true"}
        return {
            "name": self._name("where", name),
            "value": self.filters.get(name, ""),
            "label": label,
            "hint": hints.get(kind, ""),
        }

    def _pager(self, rows: Page[Any]) -> dict[str, Any]:
        first, last = (self.number - 1) * self.size, (self.number - 1) * self.size + len(rows)
        return {
            "range": f"{first + 1:,} to {last:,} of {rows.matching:,}" if rows else f"0 of {rows.matching:,}",
            "previous": self._link(**{self._name("page"): self.number - 1}) if self.number > 1 else None,
            "next": self._link(**{self._name("page"): self.number + 1}) if last < rows.matching else None,
            "paged": self.number > 1 or last < rows.matching or rows.matching > min(SIZES),
            "sizes": [
                {"label": size, "href": self._link(**{self._name("size"): size, self._name("page"): None})}
                for size in SIZES
            ],
            "size": self.size,
        }

    def _downloads(self) -> list[dict[str, str]]:
        if "GET" not in self._method.declaration.http:
            return []
        texts = {
            name: value if isinstance(value, (str, int, float)) else orjson.dumps(value).decode()
            for name, value in self.arguments().items()
            if value is not None
        }
        base = f"/restmachine/{self._method.address}?"
        return [
            {"label": label, "href": base + urlencode({**texts, "_format": form})}
            for label, form in (("CSV", "csv"), ("JSON", "json"))
        ]

    def _kept(self) -> list[tuple[str, str]]:
        """Return the parameters of the address that a form for search and filters must carry on."""
        own = set(self._own("find", "where", "page"))
        return [(name, value) for name, value in self._ctx.params.items() if name not in own]

    def _own(self, *kinds: str) -> list[str]:
        starts = tuple(self._name(kind) for kind in kinds)
        return [name for name in self._ctx.params if name in starts or name.startswith(f"{self._name('where')}-")]

    def _link(self, **changes: Any) -> str:
        return self._ctx.here(**changes)

    def _name(self, *parts: str) -> str:
        return "-".join((parts[0], self._ctx.key, *parts[1:]))

    def _text(self, *parts: str) -> str:
        return self._ctx.params.get(self._name(*parts), "").strip()

    def _whole(self, name: str, default: int) -> int:
        text = self._text(name)
        return int(text) if text.isdecimal() and len(text) <= LONGEST else default
