"""The portal's own cookies: bound to its host, and to https where the browser came by https."""

from __future__ import annotations

from typing import Literal

from werkzeug.wrappers import Request, Response

HOST_ONLY = "__Host-"
"""Browsers take such a cookie only over https, for the whole host and from the host itself: neither a page of a sibling
domain nor somebody on the line can plant one."""


def cookie(request: Request, name: str) -> str:
    """Return the value of a cookie, empty if there is none; over https only the one that nobody else can have set."""
    return request.cookies.get(_name(request, name), "")


def cookie_values(request: Request, name: str) -> set[str]:
    """Return what the browser has sent under either name, of which at most one counts."""
    return {request.cookies[one] for one in (name, HOST_ONLY + name) if request.cookies.get(one)}


def set_cookie(
    response: Response,
    request: Request,
    name: str,
    value: str,
    *,
    max_age: int,
    path: str = "/",
    samesite: Literal["Lax", "Strict"] = "Lax",
) -> None:
    """Give the browser a cookie that scripts cannot read, for ``max_age`` seconds.

    Over https it counts for the whole host, whatever ``path`` says, and replaces one from the time before https.
    """
    if request.is_secure:
        drop_cookie(response, request, name, path=path)
        path = "/"
    response.set_cookie(
        _name(request, name),
        value,
        max_age=max_age,
        path=path,
        httponly=True,
        samesite=samesite,
        secure=request.is_secure,
    )


def drop_cookie(response: Response, request: Request, name: str, *, path: str = "/") -> None:
    """Take a cookie back, under each name that the browser has sent."""
    if name in request.cookies:
        response.delete_cookie(name, path=path)
    if request.is_secure and HOST_ONLY + name in request.cookies:
        response.delete_cookie(HOST_ONLY + name, secure=True)


def _name(request: Request, name: str) -> str:
    return HOST_ONLY + name if request.is_secure else name
