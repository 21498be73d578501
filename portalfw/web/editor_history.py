"""The past of a wiki page: who changed what and why, what it was, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import flask
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.errors import PortalError, UnauthenticatedError
from portalfw.history import Pages
from portalfw.web import frame
from portalfw.web.editor_frame import HTML, around, refused, to_login
from portalfw.wiki.calling import Caller

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

MOST = 200  # revisions on one page


@dataclass(frozen=True)
class Past:
    """A page whose past is shown, and by whom."""

    caller: Caller
    space: str
    name: str
    writes: bool

    @property
    def where(self) -> str:
        """The page's part of addresses."""
        return f"{quote(self.space)}/{quote(self.name)}"

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call a reading method of pages for the page."""
        return self.caller.call(f"system/pages/{method}", {"space": self.space, "page": self.name, **arguments})


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return ``/history/<space>/<page>``.

    ``?old=…&new=…`` compares two revisions, ``?revision=…`` shows one, ``?blame=1`` who brought which lines.
    """
    routes = flask.Blueprint("editor_history", __name__)
    pages = Pages(runtime.history)

    @routes.get("/history/<space>/<name>")
    def history(space: str, name: str) -> Response:
        principal = identify(flask.request)
        try:
            caller = Caller(runtime.dispatcher, principal)
            past = Past(caller, space.lower(), name, pages.may_write(principal, space, name))
            template, values = _view(past, flask.request.args)
            shown = around(runtime, principal, space, name, "History")
            shown = replace(shown, page=replace(shown.page, layout="wide"))
            return Response(frame.render_in(template, shown, past=past, **values), content_type=HTML)
        except UnauthenticatedError:
            return to_login()
        except PortalError as error:
            return refused(runtime, principal, space, name, error)

    return routes


def _view(past: Past, query: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the template that answers a query, and what it needs."""
    if query.get("revision"):
        found = past.ask("get", revision=query["revision"])
        return "edit_revision.html", {"one": found, "of": _of(past, query["revision"])}
    if query.get("blame"):
        lines = past.ask("get")["text"].splitlines()
        parts = [_with_text(one, lines) for one in past.ask("blame")]
        return "edit_blame.html", {"parts": parts}
    if query.get("old"):
        old, new = query["old"], query.get("new") or None
        found = past.ask("diff", old=old, new=new)
        return "edit_diff.html", {"diff": found, "old": _of(past, old), "new": _of(past, new) if new else None}
    return "edit_history.html", {"rows": _rows(past)}


def _with_text(part: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    first = part["start"] - 1
    return {**part, "text": lines[first : first + part["lines"]]}


def _rows(past: Past) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = past.ask("history", limit=MOST)
    return [{**row, "earlier": before} for row, before in zip(rows, [*_ids(rows)[1:], None], strict=True)]


def _ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["revision"] for row in rows]


def _of(past: Past, revision: str) -> dict[str, Any]:
    """Return what is known of a revision; the id alone of one that is not among the latest."""
    found = [row for row in past.ask("history", limit=MOST) if row["revision"] == revision]
    return found[0] if found else {"revision": revision}
