"""The product and the provider that its people sign in at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oidc_provider import Provider
from oidc_visitor import Visitor
from product import Product

FAULTS = ("audience", "issuer", "expired", "future", "nonce", "key", "signature", "secret", "none", "missing")
#: What the portal is told of the provider, under several names; each is a client of its own there.
CLIENTS: dict[str, dict[str, Any]] = {
    "sso": {
        "title": "Example SSO",
        "create_users": True,
        "new_user_groups": ["user"],
        "groups": {"operators": ["level1", "level2"], "owners": ["admin"]},
    },
    "closed": {},
    "staff": {"create_users": True, "require": {"groups": ["staff", "guests"]}},
    "mail": {"link_verified_email": True},
    "public": {"create_users": True},
    "rotated": {"create_users": True, "groups": {"staff": "level1"}},
    **{f"fault-{fault}": {"create_users": True} for fault in FAULTS},
}


@dataclass
class Sso:
    """The product and its provider."""

    product: Product
    provider: Provider

    def visitor(self) -> Visitor:
        """Return somebody with a browser of its own."""
        return Visitor(self.product.url)


def settings_of(issuer: str, away: str) -> str:
    """Return the product's TOML file: every client at one issuer, and one provider that is not there."""
    lines = []
    for name, more in CLIENTS.items():
        secret = {} if name == "public" else {"client_secret": f"secret of {name}"}
        lines += _table({"name": name, "issuer": issuer, "client_id": f"client-{name}", **secret, **more})
    return "\n".join(lines + _table({"name": "away", "issuer": away, "client_id": "x"}))


def _table(values: dict[str, Any]) -> list[str]:
    return ["[[oidc]]", *(f"{name} = {_toml(value)}" for name, value in values.items())]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
