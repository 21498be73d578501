"""Columns and tabs in a page: ``{{columns}}`` … ``{{column}}`` … ``{{end}}``, each alone on its line."""

from __future__ import annotations

from typing import Final

from markupsafe import escape

from portalfw.wiki.record import PlacedCall

COLUMNS: Final = {
    "columns": '<div class="cols"><div class="stack">',  # a wide and a narrow one
    "halves": '<div class="cols cols-half"><div class="stack">',
}
NEXT: Final = frozenset({"column", "tab"})
OPEN: Final = frozenset({*COLUMNS, "tabs"})
END: Final = "end"


class Layout:
    """Keeps the columns and tabs of one text balanced."""

    def __init__(self) -> None:
        """Begin outside of both."""
        self._open: list[str] = []  # what ends each that is open

    @staticmethod
    def knows(call: PlacedCall) -> bool:
        """Tell whether a call is such a mark and no macro."""
        name = call.call.name
        return not call.call.problem and (name in OPEN or name in NEXT or name == END)

    def place(self, call: PlacedCall) -> str:
        """Return the HTML of a mark; one that does not fit is left out."""
        name = call.call.name
        if name in COLUMNS:
            self._open.append("</div></div>")
            return COLUMNS[name]
        if name == "tabs":
            self._open.append("</div>")
            return '<div class="tabbed" data-tabs>'
        if not self._open:
            return ""
        if name == END:
            return self._open.pop()
        return self._tab(call) if name == "tab" else self._column()

    def close(self) -> str:
        """Return what closes all that is still open."""
        return "".join(reversed(self._open))

    def _column(self) -> str:
        return '</div><div class="stack">' if self._open[-1] == "</div></div>" else ""

    def _tab(self, call: PlacedCall) -> str:
        """Return the beginning of a tab; it is a part under its title until a script makes tabs of them."""
        if self._open[-1] not in {"</div>", "</section></div>"}:
            return ""
        before = "</section>" if self._open[-1] == "</section></div>" else ""
        self._open[-1] = "</section></div>"
        words = [*call.positional, *call.named.values()]
        title = escape(" ".join(map(str, words)) or "Tab")
        return f'{before}<section class="tab-part" data-tab="{title}"><h3 class="tab-title">{title}</h3>'
