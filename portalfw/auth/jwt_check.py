"""Bearer JWTs: ours, and those of configured issuers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from joserfc.errors import ExpiredTokenError, InvalidClaimError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jwt import JWTClaimsRegistry

from portalfw.auth import jose
from portalfw.auth.issuer import JwtIssuer
from portalfw.auth.jwt_keys import ALGORITHM, public_key
from portalfw.auth.principal import Principal
from portalfw.auth.tokens import token_principal_by_id
from portalfw.auth.users import active_user
from portalfw.errors import StartError, UnauthenticatedError

ESSENTIAL = {"essential": True}
OURS: dict[str, Any] = {"exp": ESSENTIAL, "sub": ESSENTIAL, "token": ESSENTIAL}


@dataclass(frozen=True)
class _Known:
    issuer: JwtIssuer
    keys: tuple[Key, ...]


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
            header, claims = jose.unverified(token)
            kid = header.get("kid")
            own = public_key(kid) if isinstance(kid, str) else None
            return self._of_ours(token, own) if own is not None else self._of_issuer(token, kid, claims.get("iss"))
        except ExpiredTokenError:
            raise UnauthenticatedError("The JWT has expired; ask for a new one.") from None
        except jose.WRONG as error:
            raise UnauthenticatedError(f"The JWT is not valid: {jose.reason(error)}.") from None

    @staticmethod
    def _of_ours(token: str, key: Key) -> tuple[Principal, float]:
        _, claims = jose.verified(token, key, [ALGORITHM])
        JWTClaimsRegistry(leeway=jose.LEEWAY, **OURS).validate(claims)
        found = token_principal_by_id(claims["token"])
        if found is None or found[0].name != claims["sub"]:
            raise UnauthenticatedError("The API token that this JWT was made for is revoked or has expired.")
        return found[0], float(claims["exp"])

    def _of_issuer(self, token: str, kid: object, claimed: object) -> tuple[Principal, float]:
        failure: Exception = InvalidClaimError("iss", f"nobody is configured as issuer {claimed!r}")
        for known, key in self._candidates(claimed, kid):
            try:
                return _principal(known, _decoded(token, key, known))
            except ExpiredTokenError:
                raise
            except jose.WRONG as error:
                failure = error
        raise failure

    def _candidates(self, claimed: object, kid: object) -> list[tuple[JwtIssuer, Key]]:
        return [
            (known.issuer, key)
            for known in self._known
            if (known.issuer.issuer or known.issuer.name) == claimed
            for key in known.keys
            if kid is None or key.kid in {None, kid}
        ]


def _decoded(token: str, key: Key, issuer: JwtIssuer) -> dict[str, Any]:
    needed: dict[str, Any] = {
        "exp": ESSENTIAL,
        "username": ESSENTIAL,
        "iss": {"essential": True, "value": issuer.issuer or issuer.name},
    }
    if issuer.audience is not None:
        needed["aud"] = {"essential": True, "value": issuer.audience}
    _, claims = jose.verified(token, key, issuer.algorithms)
    JWTClaimsRegistry(leeway=jose.LEEWAY, **needed).validate(claims)
    return claims


def _principal(issuer: JwtIssuer, claims: dict[str, Any]) -> tuple[Principal, float]:
    name = f"{claims['username']}@{issuer.name}"
    user = active_user(name)
    if user is None:
        raise UnauthenticatedError(f"User {name} does not exist here or is inactive; an administrator creates it.")
    return user.principal(), float(claims["exp"])


def _keys(issuer: JwtIssuer) -> tuple[Key, ...]:
    try:
        if issuer.jwks is not None:
            return tuple(KeySet.import_key_set(json.loads(issuer.jwks.expanduser().read_text())))
        kind = "RSA" if issuer.algorithms[0].startswith("RS") else "EC"
        return (JWKRegistry.import_key(issuer.public_key or "", kind),)
    except (OSError, LookupError, TypeError, *jose.WRONG) as error:
        raise StartError(f"Setting jwt_issuers: the keys of {issuer.name} cannot be read: {error}.") from error
