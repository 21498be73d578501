"""The two ceremonies of WebAuthn (level 2, section 7): what authenticators are asked, and whether an answer holds."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from portalfw.auth.passkeys_challenge import LIFE
from portalfw.auth.passkeys_site import Site
from portalfw.errors import InvalidError

LONGEST_ID = 1364  # characters: 1023 bytes (section 4, credential id) in base64url
LONGEST_KEY = 1200  # bytes; RSA with 8192 bits needs 1060
TIMEOUT = LIFE * 1000  # ms
# What py_webauthn lets through of the parsers below it when bytes are not what they should be.
MALFORMED = (WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError, struct.error)

R = TypeVar("R")


def creation_options(
    site: Site, user: str, handle: str, known: list[dict[str, Any]], challenge: bytes
) -> dict[str, Any]:
    """Return what a browser needs to make a passkey, as JSON (PublicKeyCredentialCreationOptionsJSON).

    :param known: the passkeys that the user has; their authenticators will not make another one.
    """
    options = generate_registration_options(
        rp_id=site.name,
        rp_name=site.name,
        user_id=base64url_to_bytes(handle),
        user_name=user,
        challenge=challenge,
        timeout=TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_descriptor(row) for row in known],
    )
    return options_to_json_dict(options)


def request_options(site: Site, challenge: bytes) -> dict[str, Any]:
    """Return what a browser needs to let somebody choose a passkey, as JSON; none is named: that would tell."""
    options = generate_authentication_options(
        rp_id=site.name,
        challenge=challenge,
        timeout=TIMEOUT,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def challenge_of(credential: Mapping[str, Any]) -> bytes:
    """Return the challenge that an answer says it is for.

    :raises InvalidError: if the answer is malformed, or was made in a page within another site's.
    """

    def read() -> bytes:
        data = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        if data.cross_origin:
            raise ValueError("it comes from a page within another site's")
        return data.challenge

    return _checked(read)


def check_creation(site: Site, credential: Mapping[str, Any], challenge: bytes) -> VerifiedRegistration:
    """Return the new passkey of an answer that holds.

    :raises InvalidError: saying what was wrong with it.
    """
    found = _checked(
        lambda: verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    )
    if len(found.credential_public_key) > LONGEST_KEY or len(found.credential_id) * 4 / 3 > LONGEST_ID:
        raise InvalidError("The passkey is larger than any that is known.", detail={"argument": "credential"})
    return found


def check_signature(
    site: Site, credential: Mapping[str, Any], challenge: bytes, public_key: bytes
) -> VerifiedAuthentication:
    """Return what an answer that holds says beside its signature; whether its counter went up is not looked at.

    :raises InvalidError: saying what was wrong with it.
    """
    return _checked(
        lambda: verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,  # compared when it is stored: only there can nobody come between
            require_user_verification=True,
        )
    )


def _checked(read: Callable[[], R]) -> R:
    try:
        return read()
    except MALFORMED as error:
        raise InvalidError(f"The passkey's answer does not hold: {error}", detail={"argument": "credential"}) from error


def _descriptor(row: Mapping[str, Any]) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in row.get("transports", ())]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(row["credential_id"]), transports=transports)
