"""Signing in at providers of OpenID Connect, for who draws a sign-in page of its own."""

from __future__ import annotations

from typing import Annotated, TypedDict
from urllib.parse import quote

from portalfw.auth.oidc_flow import oidc
from portalfw.auth.oidc_sessions import sign_out_at
from portalfw.rest import Actor, Arg, method


class ProviderRow(TypedDict):
    """One provider: its name in settings and users, what people call it, and where a sign-in begins."""

    name: str
    title: str
    address: str
    problem: str | None


class OAuth(Actor, app="system"):
    """Signing in at a provider; the browser goes there and comes back by itself."""

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def list_providers(self) -> list[ProviderRow]:
        """Return the providers that one can sign in at; problem says that one cannot be reached now."""
        return [
            {
                "name": one.settings.name,
                "title": one.settings.label,
                "address": _address(one.settings.name),
                "problem": one.failure,
            }
            for one in self.service(oidc)
        ]

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def authenticate(
        self,
        type_: Annotated[str, Arg("Provider", help="Its name in the settings.")],
        redirect: Annotated[str | None, Arg("Page", help="A page of the portal to lead to afterwards.")] = None,
    ) -> str:
        """Return the address of the portal that a browser opens to sign in at a provider."""
        return _address(self.service(oidc).provider(type_).settings.name, redirect)

    @method(right="login", http=("GET", "POST"), readonly=True, secret=True)
    def get_oauth_logout_url(self) -> str:
        """Return where the caller's browser can sign out of the provider too; empty if it came another way."""
        session = self.call.principal.credential.removeprefix("session:")
        back = self.runtime.settings.public_url
        found = sign_out_at(self.service(oidc), session, f"{back}/login" if back else None)
        return found[1] if found else ""


def _address(name: str, page: str | None = None) -> str:
    return f"/login/oidc/{name}" + (f"?next={quote(page, safe='')}" if page else "")
