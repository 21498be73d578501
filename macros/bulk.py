"""Actions on the rows of a table that a viewer picks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from macros.buttons import button, filled, possible
from portalfw.wiki import MacroContext
from portalfw.wiki.errors import MacroArgumentError

OF_ROWS = ("when", "reason", "confirm")  # what is decided row by row, or asked in other words


def bulk_buttons(ctx: MacroContext, bulk: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the buttons for the picked rows; their dialogs ask once for what the rows do not give.

    :raises MacroArgumentError: for a button that calls nothing.
    """
    for given in bulk:
        if not given.get("api"):
            raise MacroArgumentError("a button for several rows needs api: app/actor/method")
    return [button(ctx, {name: value for name, value in given.items() if name not in OF_ROWS}) for given in bulk]


def bulk_values(given: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments that a row gives to a button; None if it is not possible for that row."""
    if not possible(given.get("when", True), row):
        return None
    values: dict[str, Any] = filled(given.get("values") or {}, row)
    return values
