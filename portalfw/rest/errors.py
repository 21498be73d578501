"""The one shape of an error, and the one table of statuses."""

from __future__ import annotations

from typing import Any, TypedDict

from portalfw.errors import PortalError

STATUS: dict[str, int] = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "too-large": 413,
    "too-many": 429,
    "internal": 500,
    "unavailable": 503,
    "job-failed": 503,
}


class ErrorBody(TypedDict):
    """What every failed call answers; ``id`` is the request's, under which the server logged it."""

    error: str
    message: str
    detail: Any
    id: str


def status_of(error: PortalError) -> int:
    """Return the HTTP status of an error."""
    return STATUS.get(error.code, 500)


def error_body(error: PortalError, request_id: str) -> ErrorBody:
    """Return the answer that tells a caller of ``error``."""
    return {"error": error.code, "message": error.message, "detail": error.detail, "id": request_id}
