"""Providers of OpenID Connect that people may sign in with, as settings name them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from portalfw.errors import StartError

IdTokenAlgorithm = Literal["RS256", "PS256", "ES256", "ES384"]  # signatures only, of keys that the provider publishes
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}")
DISCOVERY = "/.well-known/openid-configuration"


def is_safe_address(address: str) -> bool:
    """Tell whether an address can be asked: over TLS, or on this very machine."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts)))


def _is_loopback(parts: SplitResult) -> bool:
    return parts.hostname in LOOPBACK


def _checked_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("must be 1 to 31 letters, digits, dots, dashes or underscores: users are called user@name")
    return name


def _checked_issuer(issuer: str) -> str:
    parts = urlsplit(issuer)
    if not is_safe_address(issuer) or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://sso.example.org; plain http only to this machine")
    if issuer.endswith(DISCOVERY):
        raise ValueError(f"must be what stands before {DISCOVERY}")
    return issuer


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text, or a list of texts."""


class OidcProvider(BaseModel):
    """One provider: its users are ``username@name``.

    ``groups`` says which groups of the portal a value of the claim ``groups_claim`` gives; the groups that it names
    follow the claim at each sign-in, others are an administrator's. ``require`` names claims that must have (or, if
    they are lists, hold) one of the given values; who lacks one is not let in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_checked_name)]
    title: str = ""
    issuer: Annotated[str, AfterValidator(_checked_issuer)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    algorithms: tuple[IdTokenAlgorithm, ...] = ("RS256", "PS256", "ES256", "ES384")
    username_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: dict[str, Words] = {}
    require: dict[str, Words] = {}
    create_users: bool = False
    new_user_groups: tuple[str, ...] = ()
    link_verified_email: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.client_secret is not None and self.client_secret_file is not None:
            raise ValueError(f"provider {self.name}: give client_secret or client_secret_file, not both")
        if "openid" not in self.scopes:
            raise ValueError(f"provider {self.name}: scopes must hold openid")
        if not self.algorithms:
            raise ValueError(f"provider {self.name}: algorithms must name at least one")
        return self

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name

    def secret(self) -> str | None:
        """Return the client secret, None for a public client.

        :raises StartError: naming the file that cannot be read.
        """
        if self.client_secret is not None:
            return self.client_secret.get_secret_value()
        if self.client_secret_file is None:
            return None
        try:
            found = self.client_secret_file.expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"Setting oidc: client_secret_file of {self.name} cannot be read: {error}.") from error
        if not found:
            raise StartError(f"Setting oidc: client_secret_file of {self.name} is empty.")
        return found


def _unique(providers: list[OidcProvider]) -> list[OidcProvider]:
    names = [provider.name for provider in providers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two providers are called {twice}")
    return providers


OidcProviders = Annotated[list[OidcProvider], AfterValidator(_unique)]
"""Providers with names of their own."""
