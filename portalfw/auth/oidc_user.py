"""Who somebody that a provider has recognised is here."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import mongoengine
from pymongo.errors import DuplicateKeyError

from portalfw.auth.oidc_settings import OidcProvider
from portalfw.auth.user_changes import keep_an_administrator
from portalfw.auth.users import EMAIL, Group, User, create_user
from portalfw.errors import ConflictError, ForbiddenError
from portalfw.store import Document

log = logging.getLogger(__name__)

USERNAME = re.compile(r"[A-Za-z0-9._-]{3,39}")


class OidcIdentity(Document):
    """Which user somebody at a provider is; by the claim ``sub``, the only one that is never another's later."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "oidc_identity",
        "indexes": [{"fields": ["provider", "user"], "unique": True}],
    }

    id = mongoengine.StringField(primary_key=True)  # NAME ISSUER SUB
    provider = mongoengine.StringField()  # NAME ISSUER: at another issuer the same claim may be somebody else
    user = mongoengine.IntField()  # the user's id: a later user of the same name is somebody else
    created = mongoengine.FloatField()


def user_of(provider: OidcProvider, claims: Mapping[str, Any]) -> User:
    """Return the user that ``claims`` speak of, created if that is allowed, its groups as they say.

    :raises ForbiddenError: saying why this person may not sign in.
    :raises ConflictError: if no active administrator would be left.
    """
    _check_required(provider, claims)
    user = _known_user(provider, claims) or _new_user(provider, claims)
    if not user.active:
        raise ForbiddenError(f"User {user.name} is inactive; an administrator can let it in again.")
    return _follow_groups(provider, claims, user)


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by a path such as ``realm_access.roles``; None if there is none."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _check_required(provider: OidcProvider, claims: Mapping[str, Any]) -> None:
    for name, allowed in provider.require.items():
        if not set(_texts(claim(claims, name))) & set(allowed):
            wanted = f"{name} is {' or '.join(allowed)}"
            raise ForbiddenError(f"{provider.label} has recognised you, but only people whose {wanted} may enter.")


def _known_user(provider: OidcProvider, claims: Mapping[str, Any]) -> User | None:
    row = OidcIdentity.collection().find_one({"_id": _identity(provider, claims)})
    return None if row is None else _user({"_id": row["user"]})


def _new_user(provider: OidcProvider, claims: Mapping[str, Any]) -> User:
    """Return the user of somebody who comes for the first time, and remember who it is."""
    name = _user_name(provider, claims)
    user = _by_email(provider, claims) or _user({"name": name})
    if user is None:
        if not provider.create_users:
            raise ForbiddenError(f"There is no user {name} here; ask an administrator to create it.")
        user = _create(provider, claims, name)
    fresh = {"provider": _source(provider), "user": user.id, "created": time.time()}
    try:
        OidcIdentity.collection().replace_one({"_id": _identity(provider, claims)}, fresh, upsert=True)
    except DuplicateKeyError:
        known = _known_user(provider, claims)  # the same person may have come by two requests at once
        if known is not None and known.id == user.id:
            return user
        raise ForbiddenError(
            f"User {user.name} belongs to somebody else at {provider.label}; an administrator can delete that user."
        ) from None
    return user


def _create(provider: OidcProvider, claims: Mapping[str, Any], name: str) -> User:
    groups = _existing(provider, provider.new_user_groups)
    email = _verified_email(claims)
    try:
        return create_user(name, None, groups=groups, emails=[email] if email else [])
    except ConflictError:  # the address is another's, or the same person has come by two requests at once
        return _user({"name": name}) or create_user(name, None, groups=groups)


def _by_email(provider: OidcProvider, claims: Mapping[str, Any]) -> User | None:
    email = _verified_email(claims)
    return _user({"emails": email}) if provider.link_verified_email and email else None


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    verified = claims.get("email_verified") is True and isinstance(email, str) and EMAIL.fullmatch(email)
    return str(email) if verified else None


def _user_name(provider: OidcProvider, claims: Mapping[str, Any]) -> str:
    """Return the name of a user; what stands before an ``@`` counts, since some providers give an address."""
    given = claim(claims, provider.username_claim)
    name = given.partition("@")[0] if isinstance(given, str) else ""
    if not USERNAME.fullmatch(name):
        raise ForbiddenError(
            f"{provider.label} gives {given!r} as {provider.username_claim}; a user name is 3 to 39 letters, digits, "
            "dots, dashes or underscores. An administrator can choose another username_claim."
        )
    return f"{name}@{provider.name}"


def _follow_groups(provider: OidcProvider, claims: Mapping[str, Any], user: User) -> User:
    """Give the user the mapped groups that the claim names now, and take the other mapped ones away."""
    mapped = {group for groups in provider.groups.values() for group in groups}
    if not mapped:
        return user
    values = _texts(claim(claims, provider.groups_claim))
    given = _existing(provider, [group for value in values for group in provider.groups.get(value, ())])
    groups = sorted((set(user.groups) - mapped) | set(given))
    if groups != sorted(user.groups):
        before = list(user.groups)
        User.collection().update_one({"_id": user.id}, {"$set": {"groups": groups}})
        keep_an_administrator(lambda: User.collection().update_one({"_id": user.id}, {"$set": {"groups": before}}))
        user.groups = groups
    return user


def _existing(provider: OidcProvider, groups: Mapping[str, Any] | list[str] | tuple[str, ...]) -> list[str]:
    known = {row["name"] for row in Group.rows({"name": {"$in": list(groups)}}, fields=["name"])}
    for missing in sorted(set(groups) - known):
        log.warning("OpenID provider %s: its settings name group %s, which does not exist", provider.name, missing)
    return sorted(known)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values if one is not None]


def _identity(provider: OidcProvider, claims: Mapping[str, Any]) -> str:
    return f"{_source(provider)} {claims['sub']}"


def _source(provider: OidcProvider) -> str:
    return f"{provider.name} {provider.issuer}"


def _user(query: Mapping[str, Any]) -> User | None:
    row = User.collection().find_one(query)
    return None if row is None else User._from_son(row)  # noqa: SLF001 - mongoengine's way from a row to a document
