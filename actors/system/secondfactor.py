"""The second factor of signing in: an authenticator, and recovery codes for when it is lost."""

from __future__ import annotations

from typing import Annotated, TypedDict

import segno

from portalfw.auth.lockout import Lockout
from portalfw.auth.reverify import verify_again
from portalfw.auth.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    forget_second_factor,
    has_second_factor,
    provisioning_uri,
    recovery_codes_left,
)
from portalfw.errors import ConflictError, InvalidError, UnauthenticatedError
from portalfw.rest import Actor, Arg, method

ISSUER = "portalfw"


class Status(TypedDict):
    """Whether the caller's sign-in asks for a code, and how many recovery codes are left."""

    enabled: bool
    recovery_codes: int


class Enrolment(TypedDict):
    """What an authenticator needs: as text to type, as an address, and as a QR code (an image in a data: address)."""

    secret: str
    uri: str
    qr: str


class SecondFactor(Actor, app="system"):
    """The second factor of signing in."""

    @method(right="login", http=("GET", "POST"), readonly=True, live=("second_factor",), title="Second factor")
    def status(self) -> Status:
        """Say whether the caller has a second factor."""
        name = self.call.principal.name
        return {"enabled": has_second_factor(name), "recovery_codes": recovery_codes_left(name)}

    @method(right="login", title="Set up second factor", secret=True)
    def enrol(self, current: Annotated[str, Arg("Password", secret=True)]) -> Enrolment:
        """Begin to set up a second factor; it counts once ``confirm`` was given a code."""
        name = self.call.principal.name
        verify_again(self.runtime.settings, name, current, self.call.remote_address)
        secret = begin_enrolment(name)
        uri = provisioning_uri(name, secret, ISSUER)
        return {"secret": secret, "uri": uri, "qr": segno.make(uri, error="m").svg_data_uri(scale=4, border=2)}

    @method(right="login", title="Confirm second factor", secret=True)
    def confirm(self, code: Annotated[str, Arg("Code", secret=True, help="The 6 digits it shows.")]) -> list[str]:
        """Turn the second factor on with a first code; return the recovery codes, which cannot be shown again."""
        principal = self.call.principal
        lockout = Lockout(self.runtime.settings)
        lockout.begin(principal.name, self.call.remote_address)
        try:
            codes = confirm_enrolment(principal.name, code)
        except UnauthenticatedError as error:
            raise InvalidError(error.message, detail={"argument": "code"}) from None
        lockout.succeed(principal.name, self.call.remote_address)
        return codes

    @method(right="login", destructive=True, title="Turn second factor off")
    def disable(self, current: Annotated[str, Arg("Password", secret=True)]) -> bool:
        """Sign in with the password alone from now on."""
        name = self.call.principal.name
        verify_again(self.runtime.settings, name, current, self.call.remote_address)
        return _forget(name)

    @method(right="group:admin", destructive=True, title="Reset second factor")
    def reset(self, user: Annotated[str, Arg("User")]) -> bool:
        """Let a user who has lost authenticator and recovery codes sign in with the password alone."""
        return _forget(user)


def _forget(user: str) -> bool:
    if not forget_second_factor(user):
        raise ConflictError(f"User {user} has no second factor.")
    return True
