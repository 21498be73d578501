"""The files of a page or of a whole space: what there is, and what the viewer may upload and delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
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


@dataclass(frozen=True)
class FileDesk:
    """Whose files are shown: of ``page``, or of the space if it is None; and whether the viewer may add to them."""

    space: str
    title: str
    page: str | None
    writes: bool

    @property
    def where(self) -> str:
        """The part of addresses that names it."""
        return quote(f"{self.space}/{self.page}" if self.page else self.space)


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return ``/files/<space>`` and ``/files/<space>/<page>``."""
    routes = flask.Blueprint("file_pages", __name__)
    pages = Pages(runtime.history)

    def show(principal: Principal, space: str, page: str | None) -> Response:
        writable = cache(lambda name: pages.may_write(principal, space, name))
        rows: list[dict[str, Any]] = Caller(runtime.dispatcher, principal).call(
            "system/pages/attachments", {"space": space} | ({"page": page} if page else {})
        )
        shown = around(runtime, principal, space, page, "Files")
        desk = FileDesk(space.lower(), runtime.wiki.spaces[space.lower()].config.title, page, writable(page))
        files = [{**row, "writes": writable(row["page"])} for row in rows]
        return Response(frame.render_in("files.html", shown, desk=desk, files=files), content_type=HTML)

    @routes.get("/files/<space>", defaults={"page": None})
    @routes.get("/files/<space>/<page>")
    def files(space: str, page: str | None) -> Response:
        principal = identify(flask.request)
        try:
            return show(principal, space, page)
        except UnauthenticatedError:
            return to_login()
        except PortalError as error:
            return refused(runtime, principal, space, page or "Home", error)

    return routes
