"""What agents are told of the private authority: its certificates, and before they trust anybody its pin."""

from __future__ import annotations

import logging

from cryptography import x509

from portalfw.offload import offload
from portalfw.pki.folder import signed_by
from portalfw.pki.making import pin
from portalfw.settings import Settings

log = logging.getLogger(__name__)


class Authority:
    """The file of authorities that a portal tells its agents; nothing where the setting names none."""

    def __init__(self, settings: Settings) -> None:
        """Take the names of the files from the settings."""
        self._file = settings.tls_authority.expanduser() if settings.tls_authority else None
        self._certificate = settings.tls_certificate.expanduser() if settings.tls_certificate else None
        self._stamp = 0
        self._pem = ""

    def pem(self) -> str:
        """Return the authorities as they stand in the file now; what cannot be read stays as it was."""
        if self._file is None:
            return ""
        try:
            stamp = self._file.stat().st_mtime_ns
            if stamp != self._stamp:
                text = offload(self._file.read_text)
                x509.load_pem_x509_certificates(text.encode())
                self._pem, self._stamp = text, stamp
        except (OSError, ValueError) as error:
            log.warning("Setting tls_authority: %s cannot be used: %s", self._file, error)
        return self._pem

    def pin(self) -> str:
        """Return the pin of the authority that has signed the portal's certificate; empty without authorities."""
        text = self.pem()
        if not text:
            return ""
        authorities = x509.load_pem_x509_certificates(text.encode())
        return pin(self._signer(authorities) or authorities[0])

    def with_pin(self, token: str) -> str:
        """Return a join token that carries the pin behind it, so that it is all that a new node needs."""
        found = self.pin()
        return f"{token}.{found}" if found else token

    def _signer(self, authorities: list[x509.Certificate]) -> x509.Certificate | None:
        if self._certificate is None:
            return None
        try:
            return signed_by(x509.load_pem_x509_certificate(self._certificate.read_bytes()), authorities)
        except (OSError, ValueError) as error:
            log.warning("Setting tls_certificate: %s cannot be used: %s", self._certificate, error)
            return None
