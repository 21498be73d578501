"""Signing in with a passkey: it says who somebody is, and, since it verifies its user, stands for both factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portalfw.auth.lockout import Lockout
from portalfw.auth.passkeys import find_passkey, note_signature
from portalfw.auth.passkeys_ceremony import LONGEST_ID, challenge_of, check_signature, request_options
from portalfw.auth.passkeys_challenge import begin_challenge, take_challenge
from portalfw.auth.passkeys_site import Site
from portalfw.auth.users import User, active_user
from portalfw.errors import InvalidError, UnauthenticatedError

UNKNOWN: Mapping[str, Any] = {"id": None, "user": "", "site": "", "handle": None, "public_key": b""}


class PasskeyRefusedError(UnauthenticatedError):
    """Nobody is signed in; the message is the same whatever was wrong, ``reason`` is for operators' eyes."""

    def __init__(self, reason: str, passkey: Mapping[str, Any] = UNKNOWN) -> None:
        """Keep why, and whose passkey it was where that is known."""
        super().__init__("This passkey was not accepted. Try again, or sign in with your password.")
        self.reason = reason
        self.passkey_id: int | None = passkey["id"]
        self.user: str = passkey["user"]


def begin_sign_in(site: Site, browser: str) -> dict[str, Any]:
    """Return what a browser, known by the hash of a cookie, needs to let somebody choose a passkey.

    :raises InvalidError: if passkeys cannot work at this site.
    """
    return request_options(site.require(), begin_challenge("sign-in", browser))


def take_answer(
    site: Site, browser: str, credential: Mapping[str, Any], lockout: Lockout, address: str
) -> tuple[User, int]:
    """Return whose passkey has answered, and its id; failures count as those with a password do.

    :raises InvalidError: if passkeys cannot work at this site.
    :raises PasskeyRefusedError: if the answer does not hold, or its user may not sign in.
    :raises TooManyError: if the user or the address has to wait.
    """
    site.require()
    passkey = _named(credential)
    lockout.begin(passkey["user"], address)
    _check(site, browser, credential, passkey)
    user = active_user(passkey["user"])
    if user is None:
        raise PasskeyRefusedError("The user may not sign in.", passkey)
    lockout.succeed(user.name, address)
    return user, passkey["id"]


def _named(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the passkey that the answer names; a stand-in without a user if there is none."""
    name = credential.get("id")
    found = find_passkey(name) if isinstance(name, str) and len(name) <= LONGEST_ID else None
    return found or UNKNOWN


def _check(site: Site, browser: str, credential: Mapping[str, Any], passkey: Mapping[str, Any]) -> None:
    try:
        challenge = challenge_of(credential)
        if take_challenge("sign-in", browser, challenge) is None:
            raise PasskeyRefusedError("The challenge was answered before, is another browser's, or too old.", passkey)
        if passkey["id"] is None:
            raise PasskeyRefusedError("The passkey is unknown; it may have been removed.")
        if passkey["site"] != site.name:
            raise PasskeyRefusedError(f"The passkey belongs to {passkey['site']}, not to {site.name}.", passkey)
        # Its owner is who the authenticator says, since the portal has asked for nobody (section 7.2, step 6).
        if credential["response"].get("userHandle") != passkey["handle"]:
            raise PasskeyRefusedError("The passkey is another user's than the answer says.", passkey)
        signed = check_signature(site, credential, challenge, passkey["public_key"])
    except InvalidError as error:
        raise PasskeyRefusedError(error.message, passkey) from error
    if not note_signature(passkey["id"], signed.new_sign_count, synced=signed.credential_backed_up):
        raise PasskeyRefusedError("The passkey's counter did not go up: somebody may have copied it.", passkey)
