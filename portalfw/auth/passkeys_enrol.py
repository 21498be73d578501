"""Adding a passkey to a user."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.structs import AuthenticatorTransport

from portalfw.auth.passkeys import add_passkey, known_credentials
from portalfw.auth.passkeys_ceremony import challenge_of, check_creation, creation_options
from portalfw.auth.passkeys_challenge import begin_challenge, take_challenge
from portalfw.auth.passkeys_site import Site
from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError

HANDLE_BYTES = 32  # random, so that an authenticator learns nothing of the user (WebAuthn level 2, section 14.6.1)


def begin_enrolment(site: Site, principal: Principal) -> dict[str, Any]:
    """Return what the caller's browser needs to make a passkey for it.

    :raises InvalidError: if passkeys cannot work at this site.
    """
    site.require()
    known = known_credentials(principal.name)
    handle = known[0]["handle"] if known else bytes_to_base64url(secrets.token_bytes(HANDLE_BYTES))
    challenge = begin_challenge("enrol", _holder(principal), handle)
    return creation_options(site, principal.name, handle, known, challenge)


def finish_enrolment(site: Site, principal: Principal, name: str, credential: Mapping[str, Any]) -> int:
    """Store the passkey that an authenticator has made, and return its id.

    :raises InvalidError: if the answer does not hold.
    :raises ConflictError: if the time is over, or the answer was given before.
    """
    site.require()
    challenge = challenge_of(credential)
    handle = take_challenge("enrol", _holder(principal), challenge)
    if handle is None:
        raise ConflictError("This took too long, or was answered before. Begin again.")
    made = check_creation(site, credential, challenge)
    return add_passkey(
        credential_id=bytes_to_base64url(made.credential_id),
        user=principal.name,
        handle=handle,
        site=site.name,
        name=name.strip(),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        synced=made.credential_backed_up,
        transports=_transports(credential),
    )


def _holder(principal: Principal) -> str:
    return f"{principal.name} {principal.credential}"


def _transports(credential: Mapping[str, Any]) -> list[str]:
    """Return the ways to reach the authenticator that are known, for the browser to ask by next time."""
    given = credential["response"].get("transports")
    known = {transport.value for transport in AuthenticatorTransport}
    return sorted({name for name in given if isinstance(name, str)} & known) if isinstance(given, list) else []
