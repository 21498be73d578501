"""Columns in a page: ``{{columns}}`` … ``{{column}}`` … ``{{end}}``, each alone on its line."""

from __future__ import annotations

from portalfw.wiki.record import PlacedCall

OPEN = {
    "columns": '<div class="cols"><div class="stack">',  # a wide and a narrow one
    "halves": '<div class="cols cols-half"><div class="stack">',
}
NEXT = "column"
END = "end"


class Layout:
    """Keeps the columns of one text balanced."""

    def __init__(self) -> None:
        """Begin outside of columns."""
        self._depth = 0

    @staticmethod
    def knows(call: PlacedCall) -> bool:
        """Tell whether a call is a column mark and no macro."""
        name = call.call.name
        return not call.call.problem and (name in OPEN or name in {NEXT, END})

    def place(self, call: PlacedCall) -> str:
        """Return the HTML of a column mark; one that does not fit is left out."""
        name = call.call.name
        if name in OPEN:
            self._depth += 1
            return OPEN[name]
        if not self._depth:
            return ""
        if name == NEXT:
            return '</div><div class="stack">'
        self._depth -= 1
        return "</div></div>"

    def close(self) -> str:
        """Return what closes the columns still open."""
        return "</div></div>" * self._depth
