"""What a provider says of somebody: the id token, checked in full, and what its userinfo endpoint adds."""

from __future__ import annotations

from typing import Any

import requests
from authlib.oidc.core import CodeIDToken
from joserfc.errors import InvalidKeyIdError

from portalfw.auth import jose
from portalfw.auth.oidc_http import fetch_json
from portalfw.auth.oidc_provider import Provider
from portalfw.errors import UnauthenticatedError

LONGEST_SUBJECT = 255  # characters, OpenID Connect Core section 2


def checked_claims(provider: Provider, answer: dict[str, Any], nonce: str) -> dict[str, Any]:
    """Return the claims of the id token in the token endpoint's answer.

    Checked are signature, algorithm, issuer, audience, authorized party, times, nonce, and the access token's hash
    (OpenID Connect Core, section 3.1.3.7).

    :raises UnauthenticatedError: naming what is wrong with it.
    :raises UnavailableError: if the provider's keys cannot be had.
    """
    text = answer.get("id_token")
    if not isinstance(text, str):
        raise _refused(provider, "it sent no id token; scopes must hold openid")
    settings = provider.settings
    options: dict[str, Any] = {
        "iss": {"essential": True, "value": settings.issuer},
        "aud": {"essential": True, "value": settings.client_id},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {"nonce": nonce, "client_id": settings.client_id, "access_token": answer.get("access_token")}
    try:
        header, claims = _verified(provider, text)
        checked = CodeIDToken(claims, header, options, params)
        checked.validate(leeway=jose.LEEWAY)
    except InvalidKeyIdError:
        raise _refused(provider, "it is signed with a key that the provider does not publish") from None
    except jose.WRONG as error:
        raise _refused(provider, jose.reason(error)) from None
    subject = checked["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise _refused(provider, "its claim sub is no text of a sensible length")
    return dict(checked)


def with_userinfo(provider: Provider, claims: dict[str, Any], access_token: str | None) -> dict[str, Any]:
    """Return ``claims`` with what the userinfo endpoint adds, asked only if something that is needed is missing.

    :raises UnauthenticatedError: if it speaks of somebody else.
    :raises UnavailableError: if it does not answer.
    """
    settings = provider.settings
    wanted = {settings.username_claim, *([settings.groups_claim.partition(".")[0]] if settings.groups else [])}
    wanted |= {*settings.require, *({"email", "email_verified"} if settings.link_verified_email else ())}
    address = provider.metadata.get("userinfo_endpoint")
    if wanted <= claims.keys() or not address or not access_token:
        return claims
    try:
        added = fetch_json(address, {"Authorization": f"Bearer {access_token}"})
    except (requests.RequestException, ValueError) as error:
        raise provider.unavailable(error) from error
    if added.get("sub") != claims["sub"]:
        raise _refused(provider, "its userinfo endpoint speaks of somebody else")
    return {**added, **claims}


def _verified(provider: Provider, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a rightly signed token; an unknown key may be new, so the keys are fetched once."""
    algorithms = provider.settings.algorithms
    try:
        return jose.verified(text, provider.keys, algorithms)
    except InvalidKeyIdError:
        provider.refresh()
        return jose.verified(text, provider.keys, algorithms)


def _refused(provider: Provider, reason: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"{provider.settings.label} sent an id token that is not accepted: {reason}.")
