"""TLS of the portal's own: certificate and key from files, taken anew when these change."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Self

from portalfw.errors import StartError
from portalfw.settings import Settings

log = logging.getLogger(__name__)

State = tuple[tuple[int, int] | None, ...]


class Certificate:
    """The certificate that the portal shows, and the context that serves it; TLS 1.2 or later."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        """Read both files; without ``key``, the certificate's file holds it too.

        :raises StartError: naming the file that cannot be read or does not fit.
        """
        self._certificate, self._key = certificate.expanduser(), key.expanduser() if key else None
        self._state = self._look()
        self.context = self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Return the certificate that the settings name, None if they name none.

        :raises StartError: if there is a key without a certificate, or one of the files is not good.
        """
        if settings.tls_certificate is not None:
            return cls(settings.tls_certificate, settings.tls_key)
        if settings.tls_key is not None:
            raise StartError("Setting tls_key: it needs tls_certificate, the file of the certificate, beside it.")
        return None

    def reload_if_changed(self) -> None:
        """Take a renewed certificate for new connections; while the files are not good, the one in use stays."""
        state = self._look()
        if state == self._state:
            return
        self._state = state
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # not into the one in use before it is known to be good
            self._load(self.context)
        except StartError as error:
            log.warning("The TLS certificate stays as it was: %s", error.message)
        else:
            log.info("The TLS certificate was taken anew from %s", self._certificate)

    def _look(self) -> State:
        return tuple(_stamp(path) for path in (self._certificate, self._key) if path is not None)

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        for name, path in (("tls_certificate", self._certificate), ("tls_key", self._key)):
            _readable(name, path)
        try:
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            what = f"with the key {self._key}" if self._key else "with a key in the same file (or set tls_key)"
            reason = getattr(error, "reason", None) or str(error)
            raise StartError(
                f"Setting tls_certificate: {self._certificate} {what} is no PEM certificate and its key ({reason})."
            ) from error
        return context


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _readable(name: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        path.open("rb").close()
    except OSError as error:
        raise StartError(f"Setting {name}: {path} cannot be read: {error.strerror}.") from error


def _no_password() -> str:
    """Say that there is none, else OpenSSL would ask at the terminal."""
    raise ValueError("the key has a password, which the portal cannot ask for; remove it")
