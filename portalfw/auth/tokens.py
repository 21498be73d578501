"""API tokens: credentials of programs, limited in time and in what they may do."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypedDict

import mongoengine

from portalfw.auth.credentials import digest, epoch, last_uses
from portalfw.auth.principal import Principal
from portalfw.auth.users import active_user, find_user
from portalfw.errors import InvalidError, NotFoundError
from portalfw.store import Document

TOKEN_PREFIX = "pfw_"  # noqa: S105 - lets people and scanners recognise a leaked token
APP = re.compile(r"[A-Za-z0-9_-]{1,40}")
PERIOD = re.compile(r"(\d{1,5})\s*([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST_NAME = 80


class ApiToken(Document):
    """A program's credential, sent as ``Authorization: Bearer``."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "api_token",
        "indexes": [
            {"fields": ["hash"], "unique": True},
            "user",
            {"fields": ["expires"], "expireAfterSeconds": 0},
        ],
    }

    hash = mongoengine.StringField(required=True)
    user = mongoengine.StringField(required=True)
    name = mongoengine.StringField(default="")
    created = mongoengine.FloatField()
    expires = mongoengine.DateTimeField()  # None: never
    apps = mongoengine.ListField(mongoengine.StringField(), null=True, default=None)  # None: all
    readonly = mongoengine.BooleanField(default=False)


class TokenRow(TypedDict):
    """One token as lists show it; times in epoch seconds, ``used`` a minute more or less, None for never."""

    id: int
    user: str
    name: str
    scope: str
    apps: list[str] | None
    readonly: bool
    created: float
    expires: float | None
    used: float | None


@dataclass(frozen=True)
class Scope:
    """What a token is limited to: the ``apps`` of methods (None for all), and methods that only read."""

    apps: frozenset[str] | None = None
    readonly: bool = False


def create_token(user_name: str, name: str, *, expires: str | None = None, scope: Scope | None = None) -> str:
    """Create an API token of a user and return it; it cannot be shown again.

    :param expires: how long it lives: ``30d``, ``12h``, ``90m`` or ``2w``; None for ever.
    :raises NotFoundError: if there is no such user.
    :raises InvalidError: naming what is malformed.
    """
    user = find_user(user_name)
    limits = scope or Scope()
    _check(name, limits)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ApiToken.create(
        hash=digest(secret),
        user=user.name,
        name=name,
        created=time.time(),
        expires=_end(expires),
        apps=None if limits.apps is None else sorted(limits.apps),
        readonly=limits.readonly,
    )
    return secret


def token_principal(secret: str) -> tuple[Principal, float | None] | None:
    """Return who speaks by a token, with its limits, and when it expires; None if it is unknown or has expired."""
    return _speaker(find_token(secret))


def find_token(secret: str) -> dict[str, Any] | None:
    """Return the row of a token, None if it is unknown."""
    return ApiToken.collection().find_one({"hash": digest(secret)})


def token_principal_by_id(identity: int) -> tuple[Principal, float | None] | None:
    """Return the same by the token's id."""
    return _speaker(ApiToken.collection().find_one({"_id": identity}))


def _speaker(row: dict[str, Any] | None) -> tuple[Principal, float | None] | None:
    if row is None:
        return None
    ends = epoch(row.get("expires"))
    user = active_user(row["user"])
    if user is None or (ends is not None and ends <= time.time()):
        return None
    apps = row.get("apps")
    principal = replace(
        user.principal(),
        credential=f"token:{row['_id']}",
        apps=None if apps is None else frozenset(apps),
        readonly=bool(row.get("readonly")),
    )
    return principal, ends


def token_rows(rows: Sequence[Mapping[str, Any]]) -> list[TokenRow]:
    """Return tokens as lists show them: never the tokens themselves."""
    used = last_uses([f"token:{row['id']}" for row in rows])
    return [
        {
            "id": row["id"],
            "user": row["user"],
            "name": row.get("name") or "",
            "scope": _words(row),
            "apps": row.get("apps"),
            "readonly": bool(row.get("readonly")),
            "created": row["created"],
            "expires": epoch(row.get("expires")),
            "used": used.get(f"token:{row['id']}"),
        }
        for row in rows
    ]


def token_owner(identity: int) -> str | None:
    """Return whose token it is."""
    row = ApiToken.collection().find_one({"_id": identity}, {"user": 1})
    return None if row is None else str(row["user"])


def revoke_token(identity: int) -> None:
    """Make a token worthless.

    :raises NotFoundError: if there is none, or no more.
    """
    if not ApiToken.collection().delete_one({"_id": identity}).deleted_count:
        raise NotFoundError(f"Token {identity} does not exist; it may have been revoked or have expired.")


def revoke_tokens(user: str) -> int:
    """Make all tokens of a user worthless, and return how many."""
    return ApiToken.collection().delete_many({"user": user}).deleted_count


def _check(name: str, scope: Scope) -> None:
    if len(name) > LONGEST_NAME:
        raise InvalidError(f"A token's name has at most {LONGEST_NAME} characters.", detail={"argument": "name"})
    wrong = next((app for app in sorted(scope.apps or ()) if not APP.fullmatch(app)), None)
    if wrong is not None or scope.apps == frozenset():
        raise InvalidError(f"{wrong!r} is not the name of an app, such as cloudapi.", detail={"argument": "apps"})


def _end(period: str | None) -> dt.datetime | None:
    if not period:
        return None
    match = PERIOD.fullmatch(period.strip())
    if match is None or not int(match[1]):
        raise InvalidError(
            f"{period!r} is not a time to live, such as 30d, 12h, 90m or 2w.", detail={"argument": "expires"}
        )
    return dt.datetime.now(dt.UTC) + dt.timedelta(**{UNITS[match[2]]: int(match[1])})


def _words(row: Mapping[str, Any]) -> str:
    what = "everything" if row.get("apps") is None else ", ".join(row["apps"])
    return f"{what}, read only" if row.get("readonly") else what
