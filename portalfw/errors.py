"""Errors that any room may raise and a person may read.

Each class has a ``code`` that travels to callers; :mod:`portalfw.rest.errors` maps codes to HTTP statuses in one table.
"""

from __future__ import annotations

from typing import ClassVar


class PortalError(Exception):
    """Root of all errors of the portal: ``message`` says what was wrong and what to do, ``detail`` is data about it."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, detail: object = None) -> None:
        """Keep ``message`` for people and ``detail`` (JSON-able or None) for programs."""
        super().__init__(message)
        self.message = message
        self.detail = detail


class InvalidError(PortalError, ValueError):
    """An argument, page or setting is missing or malformed; ``detail["argument"]`` names it where there is one."""

    code = "invalid"


class UnauthenticatedError(PortalError):
    """Nobody is signed in, or the credential is unknown, expired or revoked."""

    code = "unauthenticated"


class ForbiddenError(PortalError, PermissionError):
    """The principal is known and may not do this."""

    code = "forbidden"


class NotFoundError(PortalError, LookupError):
    """The named object does not exist."""

    code = "not-found"


class ConflictError(PortalError):
    """The object is in a state that does not allow this; the message names the state."""

    code = "conflict"


class KilledError(ConflictError):
    """Somebody has ended the call. It reaches the method as any failure does, so that objects come out of it."""


class UnavailableError(PortalError):
    """Something that this needs is away or full now; trying again later may work."""

    code = "unavailable"


class TooManyError(PortalError):
    """The caller has asked, or failed, too often; ``retry_after`` seconds later it may try again."""

    code = "too-many"

    def __init__(self, message: str, *, retry_after: int) -> None:
        """Keep the wait for people in ``message`` and for programs in ``retry_after``."""
        super().__init__(message, detail={"retryAfter": retry_after})
        self.retry_after = retry_after


class StartError(PortalError):
    """The product cannot start; the message is the one line that the operator reads."""

    code = "start"
