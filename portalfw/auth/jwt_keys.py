"""The key that signs this installation's JWTs, and the public keys of all its processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar

import mongoengine
from joserfc import jwt
from joserfc.jwk import ECKey

from portalfw.auth.jose import WRONG
from portalfw.store import Document

ALGORITHM = "ES384"  # the only one that existing Go clients take
CURVE = "P-384"
FILE = "jwt-es384.pem"


class JwtKey(Document):
    """A public key of ours; in the database, since a process must take JWTs that another has signed."""

    meta: ClassVar[dict[str, Any]] = {"collection": "jwt_key"}

    id = mongoengine.StringField(primary_key=True)  # the key's thumbprint, RFC 7638
    jwk = mongoengine.DictField()
    created = mongoengine.FloatField()


class SigningKey:
    """The private key of one state folder, made at first use."""

    def __init__(self, folder: Path) -> None:
        """Read the key from ``folder``, or make it there, readable by its owner only; publish its public half."""
        self._key = _load_or_make(folder / FILE)
        self.jwk = _public_jwk(self._key)
        self.kid: str = self.jwk["kid"]
        fresh = {"$setOnInsert": {"jwk": self.jwk, "created": time.time()}}
        JwtKey.collection().update_one({"_id": self.kid}, fresh, upsert=True)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWT of ``claims``."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.kid}, claims, self._key, [ALGORITHM])


def jwks() -> dict[str, list[dict[str, Any]]]:
    """Return the public keys of this installation as a JSON Web Key Set."""
    return {"keys": [row["jwk"] for row in JwtKey.rows(sort="created")]}


def public_key(kid: str) -> ECKey | None:
    """Return the public key of ours with this id, None if there is none."""
    row = JwtKey.collection().find_one({"_id": kid})
    return None if row is None else ECKey.import_key(row["jwk"])


def _load_or_make(path: Path) -> ECKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(ECKey.generate_key(CURVE).as_pem(private=True))
        draft.rename(path)
    try:
        key = ECKey.import_key(path.read_bytes())
    except WRONG as error:
        raise TypeError(f"{path} holds no key for {ALGORITHM}; move it away to have a new one made") from error
    if key.curve_name != CURVE or not key.is_private:
        raise TypeError(f"{path} holds no private key for {ALGORITHM}; move it away to have a new one made")
    return key


def _public_jwk(key: ECKey) -> dict[str, Any]:
    known = key.as_dict(private=False)
    named = {name: known[name] for name in ("crv", "kty", "x", "y")}
    return {**named, "kid": key.thumbprint(), "alg": ALGORITHM, "use": "sig"}
