"""An authenticator and the browser before it, in software: WebAuthn level 2 sections 6.1, 6.5 and 5.8.1."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ES256 = {1: 2, 3: -7, -1: 1}  # COSE: an elliptic curve key for ES256 on P-256


class Authenticator:
    """Holds one passkey; ``origin`` is what its browser says that it is at, ``count`` its counter."""

    def __init__(self, origin: str) -> None:
        """Make a new key."""
        self.origin = origin
        self.count = 0
        self.counts = True
        self.flags = PRESENT | VERIFIED
        self.identity = secrets.token_bytes(16)
        self.handle = ""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer the options of a new passkey."""
        self.handle = options["user"]["id"]
        numbers = self._key.public_key().public_numbers()
        key = {**ES256, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.identity).to_bytes(2, "big") + self.identity + encode_cbor(key)
        data = self._data(options["rp"]["id"], self.flags | ATTESTED) + attested
        made = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", options["challenge"])
        return self._answer({"clientDataJSON": client, "attestationObject": made}, transports=["internal", "odd"])

    def get(self, options: dict[str, Any], name: str | None = None) -> dict[str, Any]:
        """Answer the options of a sign-in, for the relying party ``name`` if that is to be another than they say."""
        self.count += self.counts
        data = self._data(name or options["rpId"], self.flags)
        client = self._client_data("webauthn.get", options["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._answer(parts, userHandle=self.handle)

    def _data(self, name: str, flags: int) -> bytes:
        return hashlib.sha256(name.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        base64url_to_bytes(challenge)
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, parts: dict[str, bytes], **others: Any) -> dict[str, Any]:
        name = bytes_to_base64url(self.identity)
        response = {part: bytes_to_base64url(value) for part, value in parts.items()} | others
        return {"id": name, "rawId": name, "type": "public-key", "response": response}
