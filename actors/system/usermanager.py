"""Users and groups of the portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from portalfw.auth.groups import create_group, delete_group, edit_group, find_group, members
from portalfw.auth.lockout import LockedRow, clear, waiting
from portalfw.auth.reverify import verify_again
from portalfw.auth.second_factor import SecondFactor
from portalfw.auth.user_changes import delete_user, edit_user, set_password
from portalfw.auth.users import SHIPPED, Group, User, create_user, find_user
from portalfw.rest import Actor, Arg, Columns, Listing, method

OPERATORS = "group:admin"
USER_FIELDS = ("name", "emails", "groups", "active", "protected")
USERS = Columns(User, "id", *USER_FIELDS, search=("name", "emails", "id"), sort="name")
GROUPS = Columns(Group, "name", "description", search=("name", "description"), sort="name")
LOCKED = Columns(LockedRow, "id", "kind", "name", "failures", "until", times=("until",))


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
    protected: bool
    second_factor: bool


class GroupRow(TypedDict):
    """One group as lists show it."""

    id: str
    name: str
    description: str
    users: int
    protected: bool


class GroupMembers(TypedDict):
    """One group with its users."""

    name: str
    description: str
    users: list[str]
    members: list[dict[str, str]]  # the same as rows, for tables
    protected: bool


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

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user", "second_factor"))
    def userget(self, name: str) -> UserRow:
        """Return one user."""
        find_user(name)
        return _users(User.rows({"name": name}, fields=USER_FIELDS))[0]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user:{id}", "second_factor"))
    def getuserwithid(self, id: int) -> UserRow:  # noqa: A002 - the name on the wire
        """Return the user with this id."""
        User.get(id)
        return _users(User.rows({"_id": id}, fields=USER_FIELDS))[0]

    @method(right="user:S|group:admin", http=("GET", "POST"), readonly=True, live=("user",))
    def usergroupsget(self, user: Annotated[str | None, Arg("User", help="By default oneself.")] = None) -> list[str]:
        """Return the groups that a user is in."""
        return sorted(find_user(user or self.call.principal.name).groups)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user", "second_factor"))
    def list_users(self, listing: Annotated[Listing, USERS]) -> list[UserRow]:
        """Return all users by name."""
        rows = listing.of(User, fields=USER_FIELDS)
        return rows.answered(_users(rows))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("group", "user"))
    def list_groups(self, listing: Annotated[Listing, GROUPS]) -> list[GroupRow]:
        """Return all groups by name, with the number of their users."""
        rows = listing.of(Group)
        counted = User.collection().aggregate([{"$unwind": "$groups"}, {"$sortByCount": "$groups"}])
        sizes = {row["_id"]: row["count"] for row in counted}
        return rows.answered(
            {
                "id": row["name"],
                "name": row["name"],
                "description": row["description"],
                "users": sizes.get(row["name"], 0),
                "protected": row["name"] in SHIPPED,
            }
            for row in rows
        )

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

    @method(right=OPERATORS, title="Edit user")
    def edit_user(
        self,
        username: Annotated[str, Arg("Name")],
        groups: Annotated[list[str] | None, Arg("Groups", choices="system/usermanager/listGroups")] = None,
        emails: Annotated[list[str] | None, Arg("E-mail")] = None,
        active: Annotated[bool | None, Arg("Active", help="Who is not cannot sign in.")] = None,
    ) -> bool:
        """Change a user's groups, e-mail addresses, or whether it may sign in; what is not given stays."""
        edit_user(username, groups=groups, emails=emails, active=active)
        return True

    @method(right=OPERATORS, destructive=True, title="Delete user")
    def delete(self, username: Annotated[str, Arg("Name")]) -> bool:
        """Delete a user, sign it out and revoke its tokens."""
        delete_user(username)
        self.runtime.name_lost("user", username)
        return True

    @method(right="user:S|group:admin", title="Change password")
    def set_password(
        self,
        password: Annotated[str, Arg("New password", secret=True, help="At least 8 characters.")],
        current: Annotated[str | None, Arg("Current password", secret=True)] = None,
        user: Annotated[str | None, Arg("User", help="By default oneself.")] = None,
    ) -> bool:
        """Change a password, one's own by giving the current one, and sign out all other browsers."""
        principal = self.call.principal
        name = user or principal.name
        if name == principal.name:
            verify_again(self.runtime.settings, name, current or "", self.call.remote_address)
        set_password(name, password, keep=principal.credential)
        return True

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("group", "user"))
    def getgroup(self, name: str) -> GroupMembers:
        """Return one group with its users."""
        group, users = find_group(name), members(name)
        return {
            "name": name,
            "description": group.description,
            "users": users,
            "members": [{"name": user} for user in users],
            "protected": name in SHIPPED,
        }

    @method(right=OPERATORS, title="Create group")
    def create_group(self, name: Annotated[str, Arg("Name")], description: str = "") -> str:
        """Create a group and return its name."""
        create_group(name, description)
        return name

    @method(right=OPERATORS, title="Edit group")
    def edit_group(
        self,
        name: Annotated[str, Arg("Name")],
        description: str | None = None,
        users: Annotated[list[str] | None, Arg("Users", choices="system/usermanager/userNames")] = None,
    ) -> bool:
        """Change a group's description, or who is in it; what is not given stays."""
        edit_group(name, description=description, users=users)
        return True

    @method(right=OPERATORS, title="Take out of group")
    def remove_from_group(self, name: Annotated[str, Arg("Group")], username: Annotated[str, Arg("User")]) -> bool:
        """Take one user out of a group."""
        edit_group(name, users=[user for user in members(name) if user != username])
        return True

    @method(right=OPERATORS, destructive=True, title="Delete group")
    def delete_group(self, name: Annotated[str, Arg("Name")]) -> bool:
        """Delete a group and take everybody out of it."""
        delete_group(name)
        self.runtime.name_lost("group", name)
        return True

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("user",))
    def user_names(self) -> list[dict[str, str]]:
        """Return the names of all users, as choices of a form."""
        return [{"id": row["name"], "name": row["name"]} for row in User.rows(fields=["name"], sort="name")]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("sign_in_failures",))
    def list_locked(self, listing: Annotated[Listing, LOCKED]) -> list[LockedRow]:
        """Return the users and addresses that have to wait after failed sign-ins."""
        return listing.of_rows(waiting())

    @method(right=OPERATORS, title="Let try again")
    def clear_lock(self, locked_id: str) -> bool:
        """Let a user (``user:NAME``) or an address (``address:NETWORK``) sign in again without waiting."""
        return clear(locked_id)


def _users(rows: Sequence[Mapping[str, Any]]) -> list[UserRow]:
    with_factor = {row["id"] for row in SecondFactor.rows({"confirmed": True}, fields=["_id"])}
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "emails": row["emails"],
            "groups": row["groups"],
            "active": row["active"],
            "protected": bool(row.get("protected")),
            "second_factor": row["name"] in with_factor,
        }
        for row in rows
    ]
