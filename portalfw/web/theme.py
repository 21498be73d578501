"""The viewer's choice of light or dark."""

from __future__ import annotations

from flask import Request

from portalfw.web.frame import Theme


def theme_of(request: Request) -> Theme:
    """Return the theme that the cookie ``theme`` asks for; ``auto`` follows the viewer's system."""
    match request.cookies.get("theme"):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return "auto"
