"""Passkeys: keys of authenticators that sign people in without a password."""

from __future__ import annotations

from typing import Annotated, Any

from portalfw.auth.passkeys import PasskeyRow, forget_passkeys, list_passkeys, remove_passkey, rename_passkey
from portalfw.auth.passkeys_enrol import begin_enrolment, finish_enrolment
from portalfw.auth.passkeys_site import site_at
from portalfw.auth.reverify import verify_present
from portalfw.errors import ConflictError
from portalfw.rest import Actor, Arg, Columns, Listing, method

Name = Annotated[str, Arg("Name", help="Where it is kept, such as Laptop or Security key.")]
Password = Annotated[
    str | None, Arg("Password", secret=True, help="May be left out within 5 minutes after signing in.")
]


PASSKEYS = Columns(
    PasskeyRow, "id", "user", "name", "site", "kept", "created", "used", sort="-id", times=("created", "used")
)


class Passkeys(Actor, app="system"):
    """Passkeys."""

    @method(right="user:S|group:admin", http=("GET", "POST"), readonly=True, live=("passkey",), title="List passkeys")
    def list_(self, user: str | None = None, *, listing: Annotated[Listing, PASSKEYS]) -> list[PasskeyRow]:
        """Return the passkeys of a user, by default the caller's own; never the keys."""
        return listing.of_rows(list_passkeys(user or self.call.principal.name))

    @method(right="login", title="Begin a passkey")
    def begin(self, current: Password = None) -> dict[str, Any]:
        """Return what the caller's browser needs to make a passkey (PublicKeyCredentialCreationOptionsJSON)."""
        verify_present(self.runtime.settings, self.call.principal, current, self.call.remote_address)
        return begin_enrolment(site_at(self.call.origin), self.call.principal)

    @method(right="login", title="Add passkey", creates="passkeyId")
    def enrol(
        self,
        name: Name,
        credential: Annotated[dict[str, Any], Arg("Credential", help="The browser's RegistrationResponseJSON.")],
    ) -> int:
        """Store the passkey that the browser has made with what ``begin`` has answered, and return its id."""
        return finish_enrolment(site_at(self.call.origin), self.call.principal, name, credential)

    @method(right="passkey:S|group:admin", title="Rename passkey")
    def rename(self, passkey_id: int, name: Name) -> bool:
        """Give a passkey another name."""
        rename_passkey(passkey_id, name)
        return True

    @method(right="passkey:S|group:admin", destructive=True, title="Remove passkey")
    def remove(self, passkey_id: int, current: Password = None) -> bool:
        """Nobody can sign in with it any more; its authenticator may still offer it, to no avail."""
        verify_present(self.runtime.settings, self.call.principal, current, self.call.remote_address)
        remove_passkey(passkey_id)
        return True

    @method(right="group:admin", destructive=True, title="Reset passkeys")
    def reset(self, user: Annotated[str, Arg("User")]) -> int:
        """Remove all passkeys of a user, such as one whose devices were lost, and return how many."""
        removed = forget_passkeys(user)
        if not removed:
            raise ConflictError(f"User {user} has no passkey.")
        return removed
