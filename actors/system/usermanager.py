"""Users and groups of the portal."""

from __future__ import annotations

from typing import Annotated, TypedDict

from portalfw.auth.lockout import LockedRow, clear, waiting
from portalfw.auth.users import Group, User, create_user, find_user
from portalfw.rest import Actor, Arg, method

OPERATORS = "group:admin"


class Identity(TypedDict):
    """Who the caller is."""

    name: str
    admin: bool
    groups: list[str]


class UserRow(TypedDict):
    """One user as lists show it."""

    id: int
    name: str
    emails: list[str]
    groups: list[str]
    active: bool


class GroupRow(TypedDict):
    """One group as lists show it."""

    id: str
    name: str
    description: str
    users: int


class UserManager(Actor, app="system"):
    """Users and groups."""

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def whoami(self) -> Identity:
        """Say who the caller is."""
        principal = self.call.principal
        return {"name": principal.name, "admin": principal.is_admin, "groups": sorted(principal.groups)}

    @method(right="login", http=("GET", "POST"), readonly=True)
    def userexists(self, name: str) -> bool:
        """Tell whether there is a user of this name."""
        return User.collection().count_documents({"name": name}, limit=1) > 0

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user",))
    def userget(self, name: str) -> UserRow:
        """Return one user."""
        user = find_user(name)
        return {"id": user.id, "name": user.name, "emails": user.emails, "groups": user.groups, "active": user.active}

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user",))
    def list_users(self) -> list[UserRow]:
        """Return all users by name."""
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "emails": row["emails"],
                "groups": row["groups"],
                "active": row["active"],
            }
            for row in User.rows(fields=["name", "emails", "groups", "active"], sort="name")
        ]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("group", "user"))
    def list_groups(self) -> list[GroupRow]:
        """Return all groups by name, with the number of their users."""
        counted = User.collection().aggregate([{"$unwind": "$groups"}, {"$sortByCount": "$groups"}])
        sizes = {row["_id"]: row["count"] for row in counted}
        return [
            {
                "id": row["name"],
                "name": row["name"],
                "description": row["description"],
                "users": sizes.get(row["name"], 0),
            }
            for row in Group.rows(sort="name")
        ]

    @method(right=OPERATORS, title="Create user")
    def create(
        self,
        username: Annotated[str, Arg("Name", help="3 to 39 letters, digits, dots, dashes or underscores.")],
        password: Annotated[str, Arg("Password", secret=True, help="At least 8 characters.")],
        groups: Annotated[list[str] | None, Arg("Groups", choices="system/usermanager/listGroups")] = None,
        emails: Annotated[list[str] | None, Arg("E-mail")] = None,
    ) -> str:
        """Create a user and return its name."""
        return str(create_user(username, password, groups=groups or [], emails=emails).name)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("sign_in_failures",))
    def list_locked(self) -> list[LockedRow]:
        """Return the users and addresses that have to wait after failed sign-ins."""
        return waiting()

    @method(right=OPERATORS, title="Let try again")
    def clear_lock(self, locked_id: str) -> bool:
        """Let a user (``user:NAME``) or an address (``address:NETWORK``) sign in again without waiting."""
        return clear(locked_id)
