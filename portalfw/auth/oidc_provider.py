"""One provider as this process knows it: its discovery document and its keys, fetched when needed and kept a while."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
from gevent.lock import RLock
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portalfw.auth.oidc_http import fetch_json
from portalfw.auth.oidc_settings import DISCOVERY, OidcProvider, is_safe_address
from portalfw.errors import UnavailableError

log = logging.getLogger(__name__)

KEEP = 3600.0  # seconds that discovery document and keys are believed
TRY_AGAIN = 15.0  # seconds after a failure in which the sign-in page does not look again
REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


@dataclass(frozen=True)
class Known:
    """What a provider says of itself, and its keys."""

    metadata: dict[str, Any]
    keys: KeySet
    until: float


class Provider:
    """A configured provider."""

    def __init__(self, settings: OidcProvider) -> None:
        """Read the client secret; nothing is asked of the provider yet.

        :raises StartError: if the secret's file cannot be read.
        """
        self.settings = settings
        self.secret = settings.secret()
        self.failure: str | None = None
        self._failed = -TRY_AGAIN
        self._known: Known | None = None
        self._turn = RLock()

    @property
    def metadata(self) -> dict[str, Any]:
        """The discovery document.

        :raises UnavailableError: if it cannot be had.
        """
        return self._current().metadata

    @property
    def keys(self) -> KeySet:
        """The keys that sign its id tokens, at most :data:`KEEP` old."""
        return self._current().keys

    @property
    def doubtful(self) -> bool:
        """Whether nobody has found out of late if the provider can be reached, and nobody is about to."""
        now = time.monotonic()
        unknown = self._known is None or self._known.until <= now
        return unknown and now >= self._failed + TRY_AGAIN and not self._turn.locked()

    def look(self) -> None:
        """Find out whether the provider can be reached; :attr:`failure` says it afterwards."""
        with suppress(UnavailableError):
            self._current()

    def refresh(self) -> None:
        """Fetch discovery document and keys anew.

        Only an id token that came straight from the provider's token endpoint causes it out of turn, so that nobody
        else can make us ask without end.

        :raises UnavailableError: if they cannot be had.
        """
        with self._turn:
            try:
                metadata = self._checked(fetch_json(self.settings.issuer.rstrip("/") + DISCOVERY))
                keys = KeySet.import_key_set(fetch_json(metadata["jwks_uri"]))  # type: ignore[arg-type]  # checked there
                self._known, self.failure = Known(metadata, keys, time.monotonic() + KEEP), None
            except (requests.RequestException, JoseError, KeyError, TypeError, ValueError) as error:
                raise self.unavailable(error) from error

    def unavailable(self, error: Exception) -> UnavailableError:
        """Remember that the provider failed, for the sign-in page to say, and return what to tell who waits for it."""
        self._failed, self._known = time.monotonic(), None
        log.warning("OpenID provider %s (%s): %s", self.settings.name, self.settings.issuer, error)
        return self._away()

    def _away(self) -> UnavailableError:
        self.failure = f"{self.settings.label} cannot be reached now."
        return UnavailableError(f"{self.failure} Try again in a moment; the log says why.")

    def _current(self) -> Known:
        began = time.monotonic()
        with self._turn:  # several who wait for the same document fetch it once, and share its failure
            if self._known is None and self._failed > began:
                raise self._away()
            if self._known is None or self._known.until <= time.monotonic():
                self.refresh()
            if self._known is None:
                raise self._away()
            return self._known

    def _checked(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Check what everything else relies upon (OpenID Connect Discovery, section 4.3)."""
        issuer = self.settings.issuer
        if metadata.get("issuer") != issuer:
            raise ValueError(f"setting issuer is {issuer!r}, the provider calls itself {metadata.get('issuer')!r}")
        for name in (*REQUIRED, *OPTIONAL):
            address = metadata.get(name)
            if (address is None and name in REQUIRED) or (address is not None and not is_safe_address(str(address))):
                raise ValueError(f"its {name} {address!r} is no https address")
        return metadata
