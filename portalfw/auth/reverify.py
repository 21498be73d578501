"""Asking for the password once more, before what only its owner may do."""

from __future__ import annotations

import time

from portalfw.auth.lockout import Lockout
from portalfw.auth.principal import Principal
from portalfw.auth.sessions import session_began
from portalfw.auth.users import authenticate
from portalfw.errors import ForbiddenError, UnauthenticatedError
from portalfw.settings import Settings

FRESH = 300.0  # seconds after signing in, in which the password need not be typed again


def verify_again(settings: Settings, user: str, password: str, address: str) -> None:
    """Check the password of somebody who is signed in; failures count as those of signing in.

    :raises ForbiddenError: if it is wrong; not 401, since the caller's own credential is fine.
    :raises TooManyError: after too many failures.
    """
    lockout = Lockout(settings)
    lockout.begin(user, address)
    try:
        authenticate(user, password)
    except UnauthenticatedError:
        raise ForbiddenError("The current password is wrong.", detail={"argument": "current"}) from None
    lockout.succeed(user, address)


def signed_in_lately(principal: Principal) -> bool:
    """Tell whether somebody has signed in, by whatever means, less than :data:`FRESH` seconds ago."""
    began = session_began(principal.credential)
    return began is not None and time.time() - began < FRESH


def verify_present(settings: Settings, principal: Principal, password: str | None, address: str) -> None:
    """Check the password of somebody who is signed in; who has just signed in may leave it out, or may have none.

    :raises ForbiddenError: if it is wrong, or missing and the sign-in too long ago.
    :raises TooManyError: after too many failures.
    """
    if password:
        verify_again(settings, principal.name, password, address)
    elif not signed_in_lately(principal):
        raise ForbiddenError(
            f"Give your password, or sign in again: you did so more than {FRESH / 60:.0f} minutes ago.",
            detail={"argument": "current"},
        )
