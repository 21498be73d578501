"""The key that signs this installation's JWTs, and the public keys of all its processes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any, ClassVar

import jwt
import mongoengine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from portalfw.store import Document

ALGORITHM = "ES384"  # the only one that existing Go clients take
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
        self.jwk = _public_jwk(self._key.public_key())
        self.kid: str = self.jwk["kid"]
        fresh = {"$setOnInsert": {"jwk": self.jwk, "created": time.time()}}
        JwtKey.collection().update_one({"_id": self.kid}, fresh, upsert=True)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWT of ``claims``."""
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self.kid})


def jwks() -> dict[str, list[dict[str, Any]]]:
    """Return the public keys of this installation as a JSON Web Key Set."""
    return {"keys": [row["jwk"] for row in JwtKey.rows(sort="created")]}


def public_key(kid: str) -> Any | None:
    """Return the public key of ours with this id, None if there is none."""
    row = JwtKey.collection().find_one({"_id": kid})
    return None if row is None else jwt.PyJWK(row["jwk"]).key


def _load_or_make(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        draft.rename(path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no key for {ALGORITHM}; move it away to have a new one made")
    return key


def _public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    named = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(named, sort_keys=True, separators=(",", ":")).encode()
    kid = jwt.utils.base64url_encode(hashlib.sha256(canonical).digest()).decode()
    return {**named, "kid": kid, "alg": ALGORITHM, "use": "sig"}
