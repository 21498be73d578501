"""Lists that page, sort, search and filter: one argument of a method, whatever its rows come from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property, partial
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from portalfw.errors import InvalidError
from portalfw.rest.arguments import Arg
from portalfw.rest.columns import Column, Columns
from portalfw.rest.conditions import LONGEST, containing
from portalfw.rest.index_choice import Keys, serving_index
from portalfw.store import Document

T = TypeVar("T")
MOST_WORDS: Final = 8  # of one search
LONGEST_NUMBER: Final = 18  # digits that surely fit in 64 bits
MOST_OFFSET: Final = 2**31 - 1


class Page(list[T]):
    """Some rows of a list, which knows how many there are: a list to everybody else, on the wire too."""

    def __init__(self, rows: Iterable[T], matching: Callable[[], int], everything: Callable[[], int]) -> None:
        """Hold the rows; the counts are taken when somebody asks."""
        super().__init__(rows)
        self._matching, self._everything = matching, everything

    @cached_property
    def matching(self) -> int:
        """How many rows the filters and the search leave."""
        return self._matching()

    @cached_property
    def everything(self) -> int:
        """How many rows there are without filters and search."""
        return self._everything()

    def answered(self, rows: Iterable[Any]) -> Page[Any]:
        """Return what the rows became as an answer, with the same counts."""
        return Page(rows, lambda: self.matching, lambda: self.everything)


class Listing:
    """What a caller asked of a list: which of its rows, in which order.

    A method takes it as ``listing: Annotated[Listing, Columns(...)]``; on the wire that is ``limit``, ``offset``,
    ``sort`` (``name``, ``-memory``, several with commas), ``search`` (words that all must be found) and ``filter`` (an
    object of column and condition, see :mod:`portalfw.rest.conditions`).
    """

    def __init__(
        self,
        columns: Columns,
        *,
        limit: int | None = None,
        offset: int = 0,
        sort: str = "",
        search: str = "",
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the name on the wire
    ) -> None:
        """Take the wish; it is read when the rows are fetched."""
        self._columns = columns
        wanted = columns.limit if limit is None else limit
        self.limit = min(wanted or columns.most, columns.most) if columns.most else wanted
        self.offset, self.sort, self.search, self.filter = offset, sort, search, filter or {}

    def of(
        self, document: type[Document], query: Mapping[str, Any] | None = None, *, fields: Iterable[str] | None = None
    ) -> Page[dict[str, Any]]:
        """Return the plain rows of a collection, with ``id`` for ``_id``: one query, and one for each count asked for.

        :param query: what all rows must be, whatever the caller asks.
        :raises InvalidError: if the wish names a column that there is not, or a value that it cannot have.
        """
        base = dict(query or {})
        asked = [part for part in (base, *self._columns.query(self.filter)) if part]
        parts = asked + self._searched()
        narrowed = {"$and": parts} if len(parts) > 1 else (parts[0] if parts else {})
        order = self._columns.order(self.sort)
        index = serving_index(document, asked, order, searched=bool(self.search.split()))
        cursor = document.collection().find(
            narrowed, dict.fromkeys(fields, 1) if fields else None, sort=order, hint=index
        )
        rows = [row | {"id": row.pop("_id")} for row in cursor.skip(self.offset).limit(self.limit)]
        everything: Callable[[], int] = cache(lambda: _count(document, base, index))
        matching = everything if narrowed == base else lambda: _count(document, narrowed, index)
        if (not self.limit or len(rows) < self.limit) and (rows or not self.offset):  # the last ones need no counting
            end = self.offset + len(rows)
            matching, everything = lambda: end, (lambda: end) if narrowed == base else everything
        return Page(rows, matching, everything)

    def of_rows(self, rows: Iterable[Mapping[str, Any]]) -> Page[Any]:
        """Return the same of rows that lie in memory, as they are answered: columns are their keys."""
        all_rows = list(rows)
        asked = self._columns.conditions(self.filter)
        words = self._words()
        found = [
            row
            for row in all_rows
            if all(wanted.matches(self._value(row, name)) for name, wanted in asked)
            and all(self._holds(row, word) for word in words)
        ]
        for name, _, direction in reversed(self._columns.directions(self.sort)):
            found.sort(key=partial(self._rank_of, name), reverse=direction < 0)
        kept = found[self.offset :][: self.limit or None]
        return Page(kept, lambda: len(found), lambda: len(all_rows))

    def _value(self, row: Mapping[str, Any], name: str) -> Any:
        """Return a row's value of a column: rows that no older client knows have Python's names."""
        if name in row:
            return row[name]
        column = self._columns.find(name)
        return row.get(column.field)

    def _rank_of(self, name: str, row: Mapping[str, Any]) -> tuple[int, Any]:
        return _rank(self._value(row, name))

    def _words(self) -> list[str]:
        words = self.search.split()
        if len(words) > MOST_WORDS:
            raise InvalidError(f"search: {MOST_WORDS} words at most.", detail={"argument": "search"})
        if words and not self._columns.search:
            raise InvalidError("This list cannot be searched; use filter.", detail={"argument": "search"})
        return words

    def _searched(self) -> list[dict[str, Any]]:
        return [{"$or": list(self._alternatives(word))} for word in self._words()]

    def _alternatives(self, word: str) -> Iterable[dict[str, Any]]:
        for name in self._columns.search:
            column = self._columns.find(name)
            if not isinstance(column, Column):
                yield column.query(name, word)
            elif column.kind == "text":
                yield {column.field: containing(word).query()}
            else:  # equal to what no number is: never
                yield {column.field: int(word) if word.isdecimal() and len(word) <= LONGEST_NUMBER else {"$in": []}}

    def _holds(self, row: Mapping[str, Any], word: str) -> bool:
        wanted = containing(word)
        return any(
            wanted.matches(self._value(row, name))
            if self._columns.kind(name) == "text"
            else str(self._value(row, name)) == word
            for name in self._columns.search
        )


class Gathered:
    """The argument of a method that is a :class:`Listing`: its parts on the wire, and the way back."""

    NAMES: Final = ("limit", "offset", "sort", "search", "filter")

    def __init__(self, name: str, columns: Columns) -> None:
        """Note the argument's Python name and its columns."""
        self.name = name
        self.columns = columns

    def parameters(self) -> tuple[list[inspect.Parameter], dict[str, Any]]:
        """Return the parameters that callers see instead, and their types."""
        most = f", {self.columns.most} at most" if self.columns.most else ", 0 for all"
        names = ", ".join(self.columns)
        searched = ", ".join(self.columns.search) or "nothing"
        texts: dict[str, tuple[Any, Any]] = {
            "limit": (
                Annotated[int, Arg("Limit", help=f"Rows at most{most}."), Field(ge=0, le=MOST_OFFSET)],
                self.columns.limit,
            ),
            "offset": (
                Annotated[int, Arg("Offset", help="Rows to leave out before."), Field(ge=0, le=MOST_OFFSET)],
                0,
            ),
            "sort": (
                Annotated[
                    str,
                    Arg("Sort", help=f"By {', '.join(self.columns.sortable)}; - before it descends, commas between."),
                    Field(max_length=LONGEST),
                ],
                "",
            ),
            "search": (
                Annotated[str, Arg("Search", help=f"Words to find in {searched}."), Field(max_length=LONGEST)],
                "",
            ),
            "filter": (
                Annotated[
                    dict[str, Any] | None,
                    Arg("Filter", help=f'Conditions by column ({names}), as {{"name": "web", "id": ">=5"}}.'),
                ],
                None,
            ),
        }
        parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
            for name, (_, default) in texts.items()
        ]
        return parameters, {name: hint for name, (hint, _) in texts.items()}

    def gather(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments with the parts put together again."""
        parts = {name: arguments.pop(name) for name in self.NAMES}
        arguments[self.name] = Listing(self.columns, **parts)
        return arguments


def _count(document: type[Document], query: Mapping[str, Any], index: Keys | None) -> int:
    # The command counts the keys of an index in half the time that count_documents, a pipeline, takes.
    command: dict[str, Any] = {"count": document.collection_name(), "query": dict(query)}
    if index:
        command["hint"] = dict(index)
    return int(document.collection().database.command(command)["n"])


def _rank(value: Any) -> tuple[int, Any]:
    """Return a key by which values of any kind can be sorted: nothing first, then numbers, then texts."""
    if value is None:
        return 0, 0
    if isinstance(value, (int, float)):
        return 1, value
    return 2, str(value).casefold()
