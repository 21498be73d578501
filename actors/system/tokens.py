"""API tokens: credentials of programs."""

from __future__ import annotations

from typing import Annotated

from portalfw.auth.tokens import ApiToken, Scope, TokenRow, create_token, revoke_token, token_rows
from portalfw.errors import ForbiddenError
from portalfw.rest import Actor, Arg, Columns, Listing, method

SELF = "user:S|group:admin"
TOKENS = Columns(
    ApiToken,
    *("id", "user", "name", "apps", "readonly", "created", "expires"),
    times=("created",),
    search=("user", "name", "id"),
    sort="-id",
)


class Tokens(Actor, app="system"):
    """API tokens."""

    @method(right=SELF, http=("GET", "POST"), readonly=True, live=("api_token",), title="List tokens")
    def list_(self, user: str | None = None, *, listing: Annotated[Listing, TOKENS]) -> list[TokenRow]:
        """Return the tokens of a user, by default the caller's own; never the tokens themselves."""
        rows = listing.of(ApiToken, {"user": user or self.call.principal.name})
        return rows.answered(token_rows(rows))

    @method(right="group:admin", http=("GET", "POST"), readonly=True, live=("api_token",))
    def list_all(self, listing: Annotated[Listing, TOKENS]) -> list[TokenRow]:
        """Return the tokens of all users."""
        rows = listing.of(ApiToken)
        return rows.answered(token_rows(rows))

    @method(right=SELF, title="Create token", secret=True)
    def create(
        self,
        name: Annotated[str, Arg("Name", help="What it is for.")],
        expires: Annotated[str | None, Arg("Lives for", help="Such as 30d, 12h or 90m; for ever if empty.")] = None,
        readonly: Annotated[bool, Arg("Read only", help="It may only call methods that change nothing.")] = False,
        apps: Annotated[list[str] | None, Arg("Apps", help="It may only call these, such as cloudapi.")] = None,
        user: Annotated[str | None, Arg("User", help="By default oneself.")] = None,
    ) -> str:
        """Create an API token and return it; it cannot be shown again."""
        principal = self.call.principal
        if principal.limited:
            raise ForbiddenError("A credential with a limited scope cannot make tokens: they could do more than it.")
        scope = Scope(None if apps is None else frozenset(apps), readonly)
        return create_token(user or principal.name, name, expires=expires or None, scope=scope)

    @method(right="token:S|group:admin", destructive=True, title="Revoke token")
    def revoke(self, token_id: int) -> bool:
        """Make a token worthless, at once and for good."""
        revoke_token(token_id)
        return True
