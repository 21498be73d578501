"""The files of a private authority and of the portal's certificate: made, renewed, replaced by a new authority."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.pki.making import Signer, names_of, new_authority, new_certificate, pem

NAME: Final = "portalfw authority"


class PkiFolder:
    """A folder: ``ca.pem`` (the authorities, the newest first), ``ca-key.pem`` (the newest one's) and ``portal.pem``.

    ``portal.pem`` holds the portal's certificate and its key, so that a renewal changes both at once.
    """

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.path = path
        self.authorities_file = path / "ca.pem"
        self.key_file = path / "ca-key.pem"
        self.portal_file = path / "portal.pem"

    def init(self, names: Sequence[str], *, force: bool = False) -> None:
        """Make an authority, and a certificate for these names.

        :raises ConflictError: if there is one already, and not ``force``.
        :raises InvalidError: for a name that no host has.
        """
        there = [file for file in (self.authorities_file, self.key_file, self.portal_file) if file.exists()]
        if there and not force:
            raise ConflictError(
                f"{there[0]} exists; renew it (portalfw pki renew), or make all anew with --force: then every node "
                "has to enter again with a new join token."
            )
        signer = new_authority(NAME)
        portal = pem(*new_certificate(signer, names))
        self._keep(signer, [])
        self._write(self.portal_file, portal, 0o600)

    def renew(self, names: Sequence[str] = ()) -> None:
        """Have the newest authority sign a new certificate, with a new key; for the same names if none are given."""
        wanted = list(names) or names_of(self.portal())
        self._write(self.portal_file, pem(*new_certificate(self.signer(), wanted)), 0o600)

    def roll(self) -> None:
        """Make a new authority beside those there are. The portal's certificate stays until it is renewed."""
        self._keep(new_authority(NAME), self.authorities())

    def retire(self) -> None:
        """Forget all authorities but the newest.

        :raises ConflictError: if the portal's certificate is not signed by that one yet.
        """
        newest, *older = self.authorities()
        if signed_by(self.portal(), older):
            raise ConflictError("The portal's certificate is still signed by an older authority; renew it first.")
        self._write(self.authorities_file, pem(newest), 0o644)

    def authorities(self) -> list[x509.Certificate]:
        """Return the authorities, the newest first."""
        return x509.load_pem_x509_certificates(self._read(self.authorities_file))

    def portal(self) -> x509.Certificate:
        """Return the portal's certificate."""
        return x509.load_pem_x509_certificate(self._read(self.portal_file))

    def signer(self) -> Signer:
        """Return the newest authority with its key.

        :raises InvalidError: if the key is another's.
        """
        key = serialization.load_pem_private_key(self._read(self.key_file), password=None)
        certificate = self.authorities()[0]
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise InvalidError(f"{self.key_file} is not the key of the first authority in {self.authorities_file}.")
        return Signer(certificate, key)

    def _keep(self, signer: Signer, older: Sequence[x509.Certificate]) -> None:
        self._write(self.key_file, pem(signer.key), 0o600)
        self._write(self.authorities_file, pem(signer.certificate, *older), 0o644)

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"{file} does not exist; make it with portalfw pki init.") from error
        except OSError as error:
            raise InvalidError(f"{file} cannot be read: {error.strerror}.") from error

    def _write(self, file: Path, content: bytes, mode: int) -> None:
        """Write a file so that it is there wholly or not at all, and never readable by more than it is to be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self.path)
            with os.fdopen(handle, "wb") as beside:
                beside.write(content)
                os.fchmod(beside.fileno(), mode)
                beside.flush()
                os.fsync(beside.fileno())
            Path(name).replace(file)
        except OSError as error:
            raise InvalidError(f"{file} cannot be written: {error.strerror}.") from error


def signed_by(certificate: x509.Certificate, authorities: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """Return the one of these authorities that has signed a certificate."""
    for one in authorities:
        try:
            certificate.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return one
    return None
