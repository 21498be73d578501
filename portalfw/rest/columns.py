"""What the rows of a list can be sorted and filtered by, declared once beside the method."""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import mongoengine

from portalfw.errors import InvalidError
from portalfw.rest.conditions import Condition, Kind, condition
from portalfw.rest.naming import wire_name
from portalfw.store import Document

MOST_FOUND: Final = 1000  # documents that a filter on their names may find; a longer list is cut


@dataclass(frozen=True)
class Column:
    """One column: where its values lie in the document, and of which kind they are."""

    field: str
    kind: Kind = "text"


@dataclass(frozen=True)
class NameOf:
    """A column that shows the name of another document, which ``field`` holds the id of. It filters but cannot sort."""

    document: type[Document]
    field: str
    name: str = "name"

    def query(self, name: str, given: Any) -> dict[str, Any]:
        """Return the query for the rows whose document's name is as ``given``."""
        named = {self.name: condition(name, "text", given).query()}
        found = self.document.rows(named, fields=[], sort=None, limit=MOST_FOUND)
        return {self.field: {"$in": [row["id"] for row in found]}}


class Columns:
    """The columns of a list by their names on the wire; what they hold is told by the document or the rows' type.

    ``Columns(Machine, "id", "name", "status", "creation_time", cloudspaceName=NameOf(Cloudspace, "cloudspace_id"))``:
    a Python name stands for the field of that name, and gives its camelCase to the wire. ``search`` names the columns
    that a search looks through, ``sort`` the order without another wish, ``limit`` how many rows answer without one
    (0: all) and ``most`` how many at most (0: any number). A list of rows in memory names their TypedDict in place
    of the document: ``Columns(SpaceRow, "name", "pages")``.
    """

    def __init__(
        self,
        rows: type[Document | Mapping[str, Any]],
        /,
        *names: str,
        search: Sequence[str] = ("name",),
        sort: str = "id",
        limit: int = 0,
        most: int = 0,
        times: Sequence[str] = (),
        **others: Column | NameOf | str,
    ) -> None:
        """Declare the columns; ``times`` are those whose numbers are epoch seconds.

        :raises TypeError: if the TypedDict has no such key.
        """
        declared: dict[str, Column | NameOf | str] = {wire_name(name): name for name in names} | others
        self._rows = rows
        self.limit, self.most, self.sort = limit, most, sort
        self._columns = {name: self._column(what, times) for name, what in declared.items()}
        self.search = [name for name in search if name in self._columns]

    def with_(self, *, sort: str | None = None, **others: Column | NameOf | str) -> Columns:
        """Return the same columns and others, for a list that shows more; in another order without a wish if given."""
        found = copy.copy(self)
        found.sort = sort or self.sort
        found._columns = self._columns | {name: self._column(what, ()) for name, what in others.items()}  # noqa: SLF001 - its own kind
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names on the wire."""
        return iter(self._columns)

    @property
    def sortable(self) -> list[str]:
        """The names that a list can be sorted by."""
        return [name for name, column in self._columns.items() if isinstance(column, Column)]

    def kind(self, name: str) -> Kind:
        """Return of which kind a column's values are."""
        column = self.find(name)
        return column.kind if isinstance(column, Column) else "text"

    def find(self, name: str) -> Column | NameOf:
        """Return the column of this name.

        :raises InvalidError: naming those that there are.
        """
        if name not in self._columns:
            raise InvalidError(
                f"There is no column {name[:60]!r} to filter or sort by, only {', '.join(self._columns)}.",
                detail={"argument": "filter", "columns": list(self._columns)},
            )
        return self._columns[name]

    def directions(self, wanted: str) -> list[tuple[str, Column, int]]:
        """Return the columns that rows are sorted by, with their names: 1 ascends, -1 descends.

        :raises InvalidError: if they cannot be sorted so.
        """
        found = []
        for part in filter(None, (part.strip() for part in (wanted or self.sort).split(","))):
            name = part.lstrip("-")
            column = self.find(name)
            if not isinstance(column, Column):
                raise InvalidError(
                    f"Rows cannot be sorted by {name}, only by {', '.join(self.sortable)}.",
                    detail={"argument": "sort", "columns": self.sortable},
                )
            found.append((name, column, -1 if part.startswith("-") else 1))
        return found

    def order(self, wanted: str) -> list[tuple[str, int]]:
        """Return the order as field and direction pairs, ended by the id so that pages never overlap.

        :raises InvalidError: if it cannot be sorted so.
        """
        found: dict[str, int] = {}
        for _, column, direction in self.directions(wanted):
            found.setdefault(column.field, direction)
        last = next(reversed(found.values()), 1)
        return [*found.items()] if "_id" in found else [*found.items(), ("_id", last)]

    def query(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what the database is asked for the filters ``wanted``, by name on the wire."""
        return [self._asked(name, given) for name, given in wanted.items() if given not in ("", None, [])]

    def conditions(self, wanted: Mapping[str, Any]) -> list[tuple[str, Condition]]:
        """Return the same for rows that lie in memory: names on the wire, and what their values must be."""
        return [
            (name, condition(name, self.kind(name), given))
            for name, given in wanted.items()
            if given not in ("", None, [])
        ]

    def _asked(self, name: str, given: Any) -> dict[str, Any]:
        column = self.find(name)
        if isinstance(column, NameOf):
            return column.query(name, given)
        return {column.field: condition(name, column.kind, given).query()}

    def _column(self, what: Column | NameOf | str, times: Sequence[str]) -> Column | NameOf:
        if not isinstance(what, str):
            return what
        field = "_id" if what == "id" else what
        return Column(field, "time" if what in times else self._kind(what))

    def _kind(self, field: str) -> Kind:
        if not issubclass(self._rows, Document):
            return _kind_of_key(self._rows, field)
        found = getattr(self._rows, field, None)
        if isinstance(found, mongoengine.BooleanField):
            return "flag"
        if isinstance(found, mongoengine.DateTimeField):
            return "date"
        return "number" if isinstance(found, (mongoengine.IntField, mongoengine.FloatField)) else "text"


def _kind_of_key(rows: type[Mapping[str, Any]], field: str) -> Kind:
    """Return of which kind the values under a key of a TypedDict are; whether they may be missing does not matter."""
    key = "id" if field == "_id" else field
    hints = typing.get_type_hints(rows)
    if key not in hints:
        raise TypeError(f"{rows.__name__} has no key {key}, only {', '.join(hints)}")
    types = set(typing.get_args(hints[key]) or (hints[key],)) - {type(None)}
    if types == {bool}:
        return "flag"
    return "number" if types <= {int, float} else "text"
