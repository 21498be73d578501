"""What the OpenAPI document says of list methods: their columns, the count header, and the shape for DataTables."""

from __future__ import annotations

from typing import Any, Final

from portalfw.rest.columns import Columns

Schema = dict[str, Any]
TOTAL: Final[Schema] = {
    "X-Total-Count": {
        "description": "How many rows the filters and the search leave; told to who asks with Prefer: count=exact.",
        "schema": {"type": "integer", "minimum": 0},
    }
}


def columns_of(columns: Columns) -> list[Schema]:
    """Return the columns as plain rows: name, kind of the values, whether they sort, and whether a search sees them."""
    return [
        {
            "name": name,
            "kind": columns.kind(name),
            "sortable": name in columns.sortable,
            "searched": name in columns.search,
        }
        for name in columns
    ]


def table_of(rows: Schema) -> Schema:
    """Return what a list answers where the request has ``draw``, as those of DataTables; else it answers ``rows``."""
    number = {"type": "integer", "minimum": 0}
    return {
        "description": "The answer to a request of DataTables (server-side processing), which has the argument draw.",
        "schema": {
            "type": "object",
            "properties": {
                "draw": {"type": "integer"},
                "recordsTotal": {**number, "description": "Rows without filters and search."},
                "recordsFiltered": {**number, "description": "Rows that they leave."},
                "data": rows,
            },
            "required": ["draw", "recordsTotal", "recordsFiltered", "data"],
        },
    }
