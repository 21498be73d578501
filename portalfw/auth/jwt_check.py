"""Bearer JWTs: ours, and those of configured issuers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jwt

from portalfw.auth.issuer import JwtIssuer
from portalfw.auth.jwt_keys import ALGORITHM, public_key
from portalfw.auth.principal import Principal
from portalfw.auth.tokens import token_principal_by_id
from portalfw.auth.users import active_user
from portalfw.errors import StartError, UnauthenticatedError

LEEWAY = 30.0  # seconds that clocks may differ
OURS = {"require": ["exp", "sub", "token"], "verify_aud": False}


@dataclass(frozen=True)
class _Known:
    issuer: JwtIssuer
    keys: tuple[tuple[str | None, Any], ...]  # key id, key


class JwtCheck:
    """Finds the principal of a JWT."""

    def __init__(self, issuers: list[JwtIssuer]) -> None:
        """Read the keys of ``issuers``.

        :raises StartError: naming the issuer whose keys cannot be read.
        """
        self._known = [_Known(issuer, _keys(issuer)) for issuer in issuers]

    def __call__(self, token: str) -> tuple[Principal, float]:
        """Return who speaks by ``token``, and when it expires.

        :raises UnauthenticatedError: if it is malformed, expired, of an unknown issuer, wrongly signed or of no user.
        """
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            own = public_key(kid) if isinstance(kid, str) else None
            return self._of_ours(token, own) if own is not None else self._of_issuer(token, kid)
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError("The JWT has expired; ask for a new one.") from None
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(f"The JWT is not valid: {error}.") from None

    @staticmethod
    def _of_ours(token: str, key: Any) -> tuple[Principal, float]:
        claims = jwt.decode(token, key, [ALGORITHM], leeway=LEEWAY, options=OURS)  # type: ignore[arg-type]  # a plain dict
        found = token_principal_by_id(claims["token"])
        if found is None or found[0].name != claims["sub"]:
            raise UnauthenticatedError("The API token that this JWT was made for is revoked or has expired.")
        return found[0], float(claims["exp"])

    def _of_issuer(self, token: str, kid: object) -> tuple[Principal, float]:
        claimed = jwt.decode(token, options={"verify_signature": False}).get("iss")
        failure: jwt.PyJWTError = jwt.InvalidIssuerError(f"nobody is configured as issuer {claimed!r}")
        for known, key in self._candidates(claimed, kid):
            try:
                return _principal(known, _decoded(token, key, known))
            except jwt.ExpiredSignatureError:
                raise
            except jwt.PyJWTError as error:
                failure = error
        raise failure

    def _candidates(self, claimed: object, kid: object) -> list[tuple[JwtIssuer, Any]]:
        return [
            (known.issuer, key)
            for known in self._known
            if (known.issuer.issuer or known.issuer.name) == claimed
            for identity, key in known.keys
            if kid is None or identity in {None, kid}
        ]


def _decoded(token: str, key: Any, issuer: JwtIssuer) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        list(issuer.algorithms),
        leeway=LEEWAY,
        audience=issuer.audience,
        issuer=issuer.issuer or issuer.name,
        options={"require": ["exp", "iss", "username"], "verify_aud": issuer.audience is not None},
    )


def _principal(issuer: JwtIssuer, claims: dict[str, Any]) -> tuple[Principal, float]:
    name = f"{claims['username']}@{issuer.name}"
    user = active_user(name)
    if user is None:
        raise UnauthenticatedError(f"User {name} does not exist here or is inactive; an administrator creates it.")
    return user.principal(), float(claims["exp"])


def _keys(issuer: JwtIssuer) -> tuple[tuple[str | None, Any], ...]:
    try:
        if issuer.jwks is not None:
            keys = jwt.PyJWKSet.from_dict(json.loads(issuer.jwks.expanduser().read_text())).keys
            return tuple((key.key_id, key.key) for key in keys)
        algorithm = jwt.get_algorithm_by_name(issuer.algorithms[0])
        return ((None, algorithm.prepare_key(issuer.public_key)),)
    except (OSError, ValueError, IndexError, jwt.PyJWTError) as error:
        raise StartError(f"Setting jwt_issuers: the keys of {issuer.name} cannot be read: {error}.") from error
