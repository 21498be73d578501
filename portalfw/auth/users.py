"""Users and groups."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any, ClassVar

import mongoengine
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.lock import BoundedSemaphore

from portalfw.auth.principal import ADMIN, GUEST, SYSTEM, Principal
from portalfw.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError
from portalfw.offload import offload
from portalfw.store import Document

NAME = re.compile(r"[A-Za-z0-9._-]{3,39}(@[A-Za-z0-9._-]+)?")  # the originals' rule, cloud.md section 0
RESERVED = {GUEST.name, SYSTEM.name}  # a user of that name would be taken for them in records and tasks
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256
_hasher = PasswordHasher()
_turns = BoundedSemaphore(4)  # argon2 takes 64 MiB and half a core each; more at once would only queue worse
_decoy = "$argon2id$v=19$m=65536,t=3,p=4$MTIzNDU2Nzg5MDEyMzQ1Ng$H1UzIhLAj4CEbVDYI3R6tBGs2p0X0NG6zaVmRZmHuJk"


class Group(Document):
    """A named set of users; rights are given to groups."""

    meta: ClassVar[dict[str, Any]] = {"collection": "group", "indexes": [{"fields": ["name"], "unique": True}]}

    name = mongoengine.StringField(required=True)
    description = mongoengine.StringField(default="")


class User(Document):
    """A person or program that can sign in."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "user",
        "indexes": [
            {"fields": ["name"], "unique": True},
            # Partial, since the empty list of everybody without an e-mail counts as one value.
            {"fields": ["emails"], "unique": True, "partialFilterExpression": {"emails": {"$gt": ""}}},
        ],
    }

    name = mongoengine.StringField(required=True)
    password_hash = mongoengine.StringField()
    emails = mongoengine.ListField(mongoengine.StringField())
    groups = mongoengine.ListField(mongoengine.StringField())
    active = mongoengine.BooleanField(default=True)
    protected = mongoengine.BooleanField(default=False)  # cannot be deleted
    creation_time = mongoengine.FloatField()

    def principal(self) -> Principal:
        """Return this user as the one for whom things are done."""
        return Principal(self.name, frozenset(self.groups))


def create_user(
    name: str, password: str | None, *, groups: list[str], emails: list[str] | None = None, protected: bool = False
) -> User:
    """Create a user whose groups exist; a ``protected`` one cannot be deleted, one without a password has other ways.

    :raises InvalidError: for a name, password, e-mail or group that cannot be.
    :raises ConflictError: if the name or an e-mail is taken.
    """
    if not NAME.fullmatch(name):
        raise InvalidError(
            f"User name {name!r} must be 3 to 39 letters, digits, dots, dashes or underscores.",
            detail={"argument": "username"},
        )
    if name in RESERVED:
        raise InvalidError(f"User name {name} is the portal's own.", detail={"argument": "username"})
    check_groups(groups)
    check_emails(emails or [])
    try:
        return User.create(
            name=name,
            password_hash=None if password is None else hash_password(password),
            groups=groups,
            emails=emails or [],
            creation_time=time.time(),
            protected=protected,
        )
    except mongoengine.NotUniqueError as error:
        raise taken(error, name) from error


def check_groups(groups: list[str]) -> None:
    """Check that all groups exist.

    :raises InvalidError: naming those that do not.
    """
    known = {row["name"] for row in Group.rows(fields=["name"])}
    unknown = sorted(set(groups) - known)
    if unknown:
        raise InvalidError(f"There is no group {', '.join(unknown)}.", detail={"argument": "groups"})


def check_emails(emails: list[str]) -> None:
    """Check that all e-mail addresses could be some.

    :raises InvalidError: naming the first that could not.
    """
    wrong = next((email for email in emails if not EMAIL.fullmatch(email)), None)
    if wrong is not None:
        raise InvalidError(f"{wrong!r} is not an e-mail address.", detail={"argument": "emails"})


def taken(error: Exception, name: str) -> ConflictError:
    """Say which of what must be unique is not, after the database has refused it."""
    if "emails" in str(error):
        return ConflictError("This e-mail address is another user's.", detail={"argument": "emails"})
    return ConflictError(f"User {name} exists already.", detail={"argument": "username"})


def find_user(name: str) -> User:
    """Return the user called ``name``.

    :raises NotFoundError: if there is none.
    """
    row = User.collection().find_one({"name": name})
    if row is None:
        raise NotFoundError(f"User {name} does not exist.")
    user: User = User._from_son(row)  # noqa: SLF001 - mongoengine's way from a row to a document
    return user


def active_user(name: str) -> User | None:
    """Return the user called ``name``, None if there is none or it may not sign in."""
    row = User.collection().find_one({"name": name, "active": True})
    return None if row is None else User._from_son(row)  # noqa: SLF001 - mongoengine's way from a row to a document


def authenticate(name: str, password: str) -> User:
    """Return the active user with this password; takes as long for an unknown name as for a wrong password.

    :raises UnauthenticatedError: otherwise, without saying which of the two was wrong.
    """
    try:
        user: User | None = find_user(name)
    except NotFoundError:
        user = None
    matches = _verify(user.password_hash if user and user.password_hash else _decoy, password[:LONGEST_PASSWORD])
    if user is None or not matches or not user.active:
        raise UnauthenticatedError("The name or the password is wrong.")
    return user


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, computed off the hub.

    :raises InvalidError: if it is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidError(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", detail={"argument": "password"}
        )
    with _turns:
        return offload(_hasher.hash, password)


def _verify(password_hash: str, password: str) -> bool:
    with _turns:
        try:
            return offload(_hasher.verify, password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


#: The groups that the shipped rights and alerts speak of.
SHIPPED = {
    ADMIN: "May do everything.",
    "level1": "Operators: first line.",
    "level2": "Operators: may also act on nodes.",
    "level3": "Operators: may also destroy in bulk.",
    "user": "May sign in to the End User portal.",
    "alert": "On call: is written to about alerts of its level, level1, level2 or level3.",
}


def ensure_groups() -> None:
    """Create the groups that the shipped rights and alerts speak of, if they are missing."""
    for name, description in SHIPPED.items():
        if Group.collection().find_one({"name": name}) is None:
            with contextlib.suppress(mongoengine.NotUniqueError):  # another process starts at the same moment
                Group.create(name=name, description=description)
