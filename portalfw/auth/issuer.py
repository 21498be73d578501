"""Who may sign JWTs for users of this installation, as settings name them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

Algorithm = Literal["ES384", "ES256", "RS256"]  # signatures only: a shared secret would let every reader sign


class JwtIssuer(BaseModel):
    """One issuer: its users are ``username@name``. Exactly one of ``public_key`` and ``jwks`` holds its keys.

    ``issuer`` is the claim ``iss`` of its JWTs, the name if not given; if there is an ``audience``, the claim ``aud``
    must hold it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    issuer: str | None = None
    public_key: str | None = None  # PEM
    jwks: Path | None = None  # a JSON Web Key Set in a file; nothing is fetched
    algorithms: tuple[Algorithm, ...] = ("ES384",)
    audience: str | None = None

    @model_validator(mode="after")
    def _one_key_source(self) -> Self:
        if (self.public_key is None) == (self.jwks is None):
            raise ValueError(f"issuer {self.name}: give either public_key (PEM) or jwks (a file)")
        return self
