"""Passkeys: public keys of authenticators that sign people in without a name or a password."""

from __future__ import annotations

import time
from typing import Any, ClassVar, TypedDict

import mongoengine
from pymongo.errors import DuplicateKeyError

from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.store import Document

LONGEST_NAME = 80
MOST = 50  # passkeys of one user


class Passkey(Document):
    """One user's public key for one site. The private one never leaves the authenticator, or what syncs it."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "passkey",
        "indexes": [{"fields": ["credential_id"], "unique": True}, "user"],
    }

    credential_id = mongoengine.StringField(required=True)  # base64url, drawn by the authenticator
    user = mongoengine.StringField(required=True)
    handle = mongoengine.StringField(required=True)  # base64url; what authenticators know the user by, says nothing
    site = mongoengine.StringField(required=True)  # the relying party's id, the host that it was made for
    name = mongoengine.StringField(default="")
    public_key = mongoengine.BinaryField(required=True)  # COSE
    sign_count = mongoengine.IntField(default=0)  # of the last signature; 0 where the authenticator does not count
    synced = mongoengine.BooleanField(default=False)  # whether a copy lies with a password manager or a cloud
    transports = mongoengine.ListField(mongoengine.StringField())
    created = mongoengine.FloatField()
    used = mongoengine.FloatField()  # the last sign-in with it
    suspect = mongoengine.FloatField()  # the last time that its counter went back: somebody may have copied it


class PasskeyRow(TypedDict):
    """One passkey as lists show it; times in epoch seconds, None for never; ``kept``: ``synced`` or ``one device``."""

    id: int
    user: str
    name: str
    site: str
    kept: str
    created: float
    used: float | None
    suspect: float | None


def add_passkey(**values: Any) -> int:
    """Store a new passkey, whose answer has been verified, and return its id.

    :raises InvalidError: for a name that cannot be.
    :raises ConflictError: if it is stored already, or the user has too many.
    """
    _check_name(values["name"])
    if Passkey.collection().count_documents({"user": values["user"]}) >= MOST:
        raise ConflictError(f"User {values['user']} has {MOST} passkeys; remove one first.")
    try:
        return int(Passkey.create(created=time.time(), **values).id)
    except (mongoengine.NotUniqueError, DuplicateKeyError) as error:
        raise ConflictError("This passkey is stored already.") from error


def list_passkeys(user: str) -> list[PasskeyRow]:
    """Return the passkeys of a user, the newest first; never the keys."""
    return [
        {
            "id": row["id"],
            "user": row["user"],
            "name": row["name"],
            "site": row["site"],
            "kept": "synced" if row.get("synced") else "one device",
            "created": row["created"],
            "used": row.get("used"),
            "suspect": row.get("suspect"),
        }
        for row in Passkey.rows({"user": user}, sort="-_id")
    ]


def known_credentials(user: str) -> list[dict[str, Any]]:
    """Return what authenticators must know of a user's passkeys: ``credential_id``, ``handle``, ``transports``."""
    return Passkey.rows({"user": user}, fields=["credential_id", "handle", "transports"])


def find_passkey(credential_id: str) -> dict[str, Any] | None:
    """Return the row of the passkey that an authenticator names, None if it is unknown."""
    row = Passkey.collection().find_one({"credential_id": credential_id})
    return None if row is None else {**row, "id": row["_id"]}


def passkey_owner(identity: int) -> str | None:
    """Return whose passkey it is."""
    row = Passkey.collection().find_one({"_id": identity}, {"user": 1})
    return None if row is None else str(row["user"])


def note_signature(identity: int, count: int, *, synced: bool) -> bool:
    """Note a sign-in with the authenticator's counter; False, and noted as suspect, unless it went up.

    Who never counts always says 0. Compared and set in one step, so that of two copies only one can be right.
    """
    lower = {"_id": identity, "sign_count": {"$lt": count} if count else 0}
    changes = {"sign_count": count, "used": time.time(), "synced": synced}
    if Passkey.collection().update_one(lower, {"$set": changes}).matched_count:
        return True
    Passkey.collection().update_one({"_id": identity}, {"$set": {"suspect": time.time()}})
    return False


def rename_passkey(identity: int, name: str) -> None:
    """Give a passkey another name.

    :raises InvalidError: for a name that cannot be.
    :raises NotFoundError: if there is none.
    """
    _check_name(name)
    if not Passkey.collection().update_one({"_id": identity}, {"$set": {"name": name}}).matched_count:
        raise _missing(identity)


def remove_passkey(identity: int) -> None:
    """Make a passkey worthless.

    :raises NotFoundError: if there is none, or no more.
    """
    if not Passkey.collection().delete_one({"_id": identity}).deleted_count:
        raise _missing(identity)


def forget_passkeys(user: str) -> int:
    """Make all passkeys of a user worthless, and return how many."""
    return Passkey.collection().delete_many({"user": user}).deleted_count


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidError(f"A passkey's name has 1 to {LONGEST_NAME} characters.", detail={"argument": "name"})


def _missing(identity: int) -> NotFoundError:
    return NotFoundError(f"Passkey {identity} does not exist; it may have been removed.")
