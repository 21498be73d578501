"""JWTs of our own, for programs that know no other credential."""

from __future__ import annotations

import time
import uuid
from typing import Any

from joserfc.jwt import JWTClaimsRegistry

from portalfw.auth import jose
from portalfw.auth.jwt_keys import ALGORITHM, SigningKey, public_key
from portalfw.auth.principal import Principal
from portalfw.auth.tokens import find_token, token_principal_by_id
from portalfw.errors import UnauthenticatedError
from portalfw.settings import Settings

USUAL = 86400  # seconds that a JWT is good for if nothing else is asked
SHORTEST, LONGEST = 60, 30 * 86400
NEEDED: dict[str, Any] = {"exp": {"essential": True}, "token": {"essential": True}}
REFRESHABLE = 30 * 86400  # seconds after its end in which a refreshable JWT may be exchanged for a new one


class JwtIssue:
    """Issues JWTs to holders of API tokens; each is worth no more, and lives no longer, than its token."""

    def __init__(self, settings: Settings) -> None:
        """Read or make the signing key in the state folder."""
        self._name = settings.jwt_name
        self._key = SigningKey(settings.state_folder / "secrets")

    def access(self, client: str, secret: str, *, validity: int | None = None, refreshable: bool = False) -> str:
        """Return a JWT for an API token.

        :param client: the name of the token's user, or of the token.
        :param validity: seconds that the JWT is good for.
        :param refreshable: whether it may be exchanged for a new one when its time is over.
        :raises UnauthenticatedError: if there is no such token, or it is not ``client``'s.
        """
        row = find_token(secret)
        found = None if row is None else token_principal_by_id(row["_id"])
        if row is None or found is None or not client or client not in {row["user"], row.get("name")}:
            raise UnauthenticatedError("client_id or client_secret is wrong, or the token has expired.")
        return self._signed(row["_id"], found, validity, refreshable=refreshable)

    def refresh(self, token: str, *, validity: int | None = None) -> str:
        """Return a new JWT for one that was made refreshable.

        :raises UnauthenticatedError: if it is not ours or not refreshable, or its API token is worthless.
        """
        try:
            key = public_key(str(jose.unverified(token)[0].get("kid")))
            if key is None:
                raise UnauthenticatedError("The JWT cannot be refreshed here: it is not ours.")
            _, claims = jose.verified(token, key, [ALGORITHM])
            JWTClaimsRegistry(leeway=REFRESHABLE, **NEEDED).validate(claims)
        except jose.WRONG as error:
            raise UnauthenticatedError(f"The JWT cannot be refreshed: {jose.reason(error)}.") from None
        found = token_principal_by_id(claims["token"])
        if found is None or "refresh_token" not in claims:
            raise UnauthenticatedError("The JWT was not made refreshable, or its API token is revoked or has expired.")
        return self._signed(claims["token"], found, validity, refreshable=True)

    def _signed(
        self, token: int, found: tuple[Principal, float | None], validity: int | None, *, refreshable: bool
    ) -> str:
        principal, ends = found
        now = int(time.time())
        last = now + max(SHORTEST, min(validity or USUAL, LONGEST))
        username, _, issuer = principal.name.partition("@")
        claims: dict[str, Any] = {
            "username": username,
            "iss": issuer or self._name,
            "sub": principal.name,
            "token": token,
            "iat": now,
            "exp": last if ends is None else min(last, int(ends)),
        }
        if refreshable:
            claims["refresh_token"] = uuid.uuid4().hex  # clients look at its presence only
        return self._key.sign(claims)
