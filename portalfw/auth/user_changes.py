"""What can be changed of a user, so that an administrator is always left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from portalfw.auth.passkeys import forget_passkeys
from portalfw.auth.principal import ADMIN
from portalfw.auth.second_factor import forget_second_factor
from portalfw.auth.sessions import end_sessions
from portalfw.auth.tokens import revoke_tokens
from portalfw.auth.users import User, check_emails, check_groups, find_user, hash_password, taken
from portalfw.errors import ConflictError, InvalidError


def edit_user(
    name: str, *, groups: list[str] | None = None, emails: list[str] | None = None, active: bool | None = None
) -> None:
    """Change what is given; who is made inactive is signed out at once.

    :raises NotFoundError: if there is no such user.
    :raises InvalidError: for a group or e-mail that cannot be.
    :raises ConflictError: if an e-mail is another's, or no active administrator would be left.
    """
    check_groups(groups or [])
    check_emails(emails or [])
    asked = {"groups": groups, "emails": emails, "active": active}
    changes = {field: value for field, value in asked.items() if value is not None}
    before = find_user(name)
    if not changes:
        return
    try:
        row = User.collection().find_one_and_update(
            {"name": name}, {"$set": changes}, return_document=ReturnDocument.BEFORE
        )
    except DuplicateKeyError as error:
        raise taken(error, name) from error
    old = row if row is not None else before.to_mongo()
    restore = {"$set": {field: old.get(field) for field in changes}}
    keep_an_administrator(lambda: User.collection().update_one({"name": name}, restore))
    if active is False:
        end_sessions(name)


def set_password(name: str, password: str, *, keep: str = "") -> None:
    """Give a user another password and end its sessions but the one of the credential ``keep``.

    :raises NotFoundError: if there is no such user.
    :raises InvalidError: if the password is too short or too long.
    """
    find_user(name)
    User.collection().update_one({"name": name}, {"$set": {"password_hash": hash_password(password)}})
    end_sessions(name, but=keep)


def delete_user(name: str) -> None:
    """Delete a user with its sessions, tokens, passkeys and second factor.

    :raises NotFoundError: if there is none.
    :raises InvalidError: if it is protected.
    :raises ConflictError: if no active administrator would be left.
    """
    if find_user(name).protected:
        raise InvalidError(f"User {name} is protected and cannot be deleted; make it inactive instead.")
    edit_user(name, active=False)
    revoke_tokens(name)
    forget_second_factor(name)
    forget_passkeys(name)
    User.collection().delete_one({"name": name})


def keep_an_administrator(undo: Callable[[], Any]) -> None:
    """Undo a change that has left no active administrator.

    Looked at afterwards, so that two who remove each other at once both fail, rather than both succeed.

    :raises ConflictError: if that was so.
    """
    if User.collection().find_one({"groups": ADMIN, "active": True}, {"_id": 1}) is None:
        undo()
        raise ConflictError("This is the last active administrator; make another one first.")
