"""Asking for the password once more, before what only its owner may do."""

from __future__ import annotations

from portalfw.auth.lockout import Lockout
from portalfw.auth.users import authenticate
from portalfw.errors import ForbiddenError, UnauthenticatedError
from portalfw.settings import Settings


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
