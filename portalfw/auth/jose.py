"""Signed JSON (RFC 7515, 7519), and the one way to check it: by a list of algorithms and a key.

Wrong content is a ``JoseError`` or a ``ValueError``; who calls says it in words of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

LEEWAY = 30  # seconds that clocks may differ
WRONG = (JoseError, ValueError)
LONGEST_HEADER = 8192  # bytes; some issuers put certificates there


class Registry(jws.JWSRegistry):
    """Takes the given algorithms only, and headers with more than it knows."""

    max_header_length = LONGEST_HEADER

    def __init__(self, algorithms: Collection[str]) -> None:
        """Allow ``algorithms``."""
        super().__init__(algorithms=list(algorithms), strict_check_header=False)


def verified(text: str, key: Key | KeySet, algorithms: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token whose signature is right; times and other claims are not looked at.

    :raises InvalidKeyIdError: if the token names a key that is not in the set.
    """
    token = jws.deserialize_compact(text, key, registry=Registry(algorithms))
    return token.headers(), _claims(token.payload)


def unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a token says of itself, for finding the key by which to check it."""
    token = jws.extract_compact(text.encode(), registry=Registry(()))
    return token.headers(), _claims(token.payload)


def _claims(payload: bytes | None) -> dict[str, Any]:
    claims = json.loads(payload or b"")
    if not isinstance(claims, dict):
        raise ValueError("its content is no JSON object")  # noqa: TRY004 - the same to callers as any other wrong content
    return cast("dict[str, Any]", claims)


def reason(error: Exception) -> str:
    """Return in words what was wrong with a token."""
    return (getattr(error, "description", "") or str(error)).rstrip(".")
