"""In which form a list is asked for and answered: plain rows, comma-separated values, or what DataTables speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

from portalfw.rest import datatables
from portalfw.rest.answers import encoded
from portalfw.rest.csv_rows import MEDIA_TYPE, as_csv
from portalfw.rest.declaration import Method
from portalfw.rest.listing import Page


@dataclass(frozen=True)
class Form:
    """One request's form of a list."""

    kind: Literal["rows", "csv", "datatables"]
    draw: Any = None

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Read the form out of the arguments: ``_format=csv``, or DataTables' own ``draw``."""
        if given.get("_format") == "csv":
            return cls("csv")
        return cls("datatables", given["draw"]) if datatables.asks(given) else cls("rows")

    def arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that the list method knows.

        :raises InvalidError: if DataTables never asks so.
        """
        if self.kind == "datatables":
            return datatables.arguments(given)
        return {name: value for name, value in given.items() if name != "_format"}

    def body(self, rows: Page[Any]) -> bytes:
        """Return the rows in this form."""
        if self.kind == "csv":
            return as_csv(rows)
        return encoded(datatables.envelope(self.draw, rows) if self.kind == "datatables" else rows)

    def headers(self, method: Method, rows: Page[Any], *, counted: bool) -> list[tuple[str, str]]:
        """Return what the answer's head says: its type and, if the caller wants it ``counted``, how many rows match."""
        found = [("Content-Type", MEDIA_TYPE if self.kind == "csv" else "application/json")]
        if self.kind == "csv":
            found.append(("Content-Disposition", f'attachment; filename="{method.address.replace("/", "-")}.csv"'))
        if counted:
            found.append(("X-Total-Count", str(rows.matching)))
        return found
