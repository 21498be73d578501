"""What can be changed of groups."""

from __future__ import annotations

import mongoengine

from portalfw.auth.user_changes import keep_an_administrator
from portalfw.auth.users import NAME, SHIPPED, Group, User
from portalfw.errors import ConflictError, InvalidError, NotFoundError


def create_group(name: str, description: str) -> None:
    """Create a group.

    :raises InvalidError: for a name that cannot be.
    :raises ConflictError: if the name is taken.
    """
    if not NAME.fullmatch(name):
        raise InvalidError(
            f"Group name {name!r} must be 3 to 39 letters, digits, dots, dashes or underscores.",
            detail={"argument": "name"},
        )
    try:
        Group.create(name=name, description=description)
    except mongoengine.NotUniqueError as error:
        raise ConflictError(f"Group {name} exists already.", detail={"argument": "name"}) from error


def members(name: str) -> list[str]:
    """Return the names of a group's users.

    :raises NotFoundError: if there is no such group.
    """
    find_group(name)
    return [row["name"] for row in User.rows({"groups": name}, fields=["name"], sort="name")]


def find_group(name: str) -> Group:
    """Return the group called ``name``.

    :raises NotFoundError: if there is none.
    """
    row = Group.collection().find_one({"name": name})
    if row is None:
        raise NotFoundError(f"Group {name} does not exist.")
    group: Group = Group._from_son(row)  # noqa: SLF001 - mongoengine's way from a row to a document
    return group


def edit_group(name: str, *, description: str | None = None, users: list[str] | None = None) -> None:
    """Change a group's description, or who is in it.

    :raises NotFoundError: if there is no such group.
    :raises InvalidError: naming the users that do not exist.
    :raises ConflictError: if no active administrator would be left.
    """
    find_group(name)
    if users is not None:
        _set_members(name, users)
    if description is not None:
        Group.collection().update_one({"name": name}, {"$set": {"description": description}})


def delete_group(name: str) -> None:
    """Delete a group and take everybody out of it.

    :raises NotFoundError: if there is none.
    :raises InvalidError: if rights of the product itself speak of it.
    """
    find_group(name)
    if name in SHIPPED:
        raise InvalidError(f"Group {name} is protected: rights of the portal itself speak of it.")
    Group.collection().delete_one({"name": name})
    User.collection().update_many({"groups": name}, {"$pull": {"groups": name}})


def _set_members(name: str, users: list[str]) -> None:
    known = {row["name"] for row in User.rows({"name": {"$in": users}}, fields=["name"])}
    unknown = sorted(set(users) - known)
    if unknown:
        raise InvalidError(f"There is no user {', '.join(unknown)}.", detail={"argument": "users"})
    removed = [user for user in members(name) if user not in known]
    User.collection().update_many({"name": {"$in": users}}, {"$addToSet": {"groups": name}})
    User.collection().update_many({"name": {"$in": removed}}, {"$pull": {"groups": name}})
    back = {"$addToSet": {"groups": name}}
    keep_an_administrator(lambda: User.collection().update_many({"name": {"$in": removed}}, back))
