"""The authorization code flow with PKCE: out to a provider, back with a code, code against tokens, tokens to a user."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from portalfw.auth.oidc_http import bounded
from portalfw.auth.oidc_pending import Started, cookie_name, start, take
from portalfw.auth.oidc_provider import Provider
from portalfw.auth.oidc_token import checked_claims, with_userinfo
from portalfw.auth.oidc_user import user_of
from portalfw.auth.users import User
from portalfw.errors import NotFoundError, UnauthenticatedError
from portalfw.settings import Settings

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

LONGEST_WORDS = 200  # characters of a provider's own explanation that are shown


@dataclass(frozen=True)
class Finished:
    """A sign-in that came to its end: who it is, the page wanted, and the id token, which signs out again."""

    user: User
    target: str
    id_token: str


class Oidc:
    """The configured providers, and sign-ins by them."""

    def __init__(self, settings: Settings) -> None:
        """Take the providers from the settings.

        :raises StartError: naming the provider whose secret cannot be read.
        """
        self._providers = {one.name: Provider(one) for one in settings.oidc}

    def __iter__(self) -> Iterator[Provider]:
        """Yield the providers in the order of the settings."""
        return iter(self._providers.values())

    def provider(self, name: str) -> Provider:
        """Return a provider by its name.

        :raises NotFoundError: if none is configured under it.
        """
        if name not in self._providers:
            raise NotFoundError(f"No provider called {name!r} is configured; see setting oidc.")
        return self._providers[name]

    @staticmethod
    def begin(provider: Provider, redirect_uri: str, target: str) -> tuple[Started, str]:
        """Begin a sign-in; return it, and the provider's address that the browser must go to.

        :raises UnavailableError: if the provider cannot be reached.
        """
        metadata = provider.metadata
        started = start(provider.settings.name, redirect_uri, target)
        with _client(provider, metadata, redirect_uri) as client:
            address, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=started.state,
                code_verifier=started.code_verifier,
                nonce=started.nonce,
            )
        return started, address

    @staticmethod
    def take(provider: Provider, state: str, cookie: Callable[[str], str]) -> Started:
        """Use up the sign-in that a browser comes back with, whatever becomes of it.

        :param cookie: tells the value of one of the browser's cookies.
        :raises UnauthenticatedError: if this browser has not begun it, or has finished it before.
        """
        return take(provider.settings.name, state, cookie(cookie_name(state)))

    @staticmethod
    def finish(provider: Provider, started: Started, given: Mapping[str, str]) -> Finished:
        """Exchange the code for tokens and return who has signed in.

        :raises UnauthenticatedError: if the provider refuses, or what it sends is not accepted.
        :raises ForbiddenError: if this person may not sign in here.
        :raises UnavailableError: if the provider cannot be reached.
        """
        _check_issuer(provider, given.get("iss"))
        label = provider.settings.label
        if "error" in given or not given.get("code"):
            raise UnauthenticatedError(f"{label} did not sign you in: {_words(given) or 'it sent no code'}.")
        answer = _tokens(provider, started, given["code"])
        claims = checked_claims(provider, answer, started.nonce)
        user = user_of(provider.settings, with_userinfo(provider, claims, answer.get("access_token")))
        return Finished(user, started.target, str(answer["id_token"]))


def oidc(runtime: Runtime) -> Oidc:
    """Make the service of a process: ``runtime.service(oidc)``."""
    return Oidc(runtime.settings)


def _client(provider: Provider, metadata: Mapping[str, Any], redirect_uri: str) -> OAuth2Session:
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
    return OAuth2Session(
        client_id=provider.settings.client_id,
        client_secret=provider.secret,
        token_endpoint_auth_method=method if provider.secret else "none",
        scope=" ".join(provider.settings.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )


def _tokens(provider: Provider, started: Started, code: str) -> dict[str, Any]:
    metadata = provider.metadata
    try:
        with bounded(_client(provider, metadata, started.redirect_uri)) as client:
            return dict(
                client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=started.code_verifier,
                )
            )
    except OAuthError as error:
        words = _words({"error": error.error, "error_description": error.description or ""})
        raise UnauthenticatedError(f"{provider.settings.label} did not take back its code: {words}.") from None
    except (requests.RequestException, ValueError) as error:
        raise provider.unavailable(error) from error


def _check_issuer(provider: Provider, claimed: str | None) -> None:
    """Check that the answer is of the provider that was asked (RFC 9207)."""
    promised = provider.metadata.get("authorization_response_iss_parameter_supported") is True
    if claimed is None and not promised:
        return
    if claimed is None or not hmac.compare_digest(claimed.encode(), provider.settings.issuer.encode()):
        raise UnauthenticatedError(
            f"This answer is not of {provider.settings.label}: it names {claimed or 'no issuer'}. Begin again."
        )


def _words(given: Mapping[str, str]) -> str:
    said = f"{given.get('error', '')} {given.get('error_description', '')}".strip()
    return "".join(letter for letter in said if letter.isprintable())[:LONGEST_WORDS].rstrip(".")
