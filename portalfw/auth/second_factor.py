"""The second factor: time-based one-time passwords (RFC 6238) and recovery codes.

The parameters are those that every authenticator understands: SHA-1, 6 digits, 30 seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
import time
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import mongoengine

from portalfw.auth.credentials import digest
from portalfw.errors import ConflictError, UnauthenticatedError
from portalfw.store import Document

PERIOD = 30  # seconds that a code is shown
DIGITS = 6
DRIFT = 1  # periods that a telephone's clock may be off, either way
SECRET_BYTES = 20  # RFC 4226 section 4 recommends 160 bits
RECOVERY_CODES = 10


class SecondFactor(Document):
    """A user's authenticator; in a collection of its own, so that no list of users can show it."""

    meta: ClassVar[dict[str, Any]] = {"collection": "second_factor"}

    id = mongoengine.StringField(primary_key=True)  # the user's name
    secret = mongoengine.StringField()
    confirmed = mongoengine.BooleanField(default=False)  # asked for at sign-in only from then on
    last_step = mongoengine.IntField(default=0)  # the period of the last code taken: none is taken twice
    recovery = mongoengine.ListField(mongoengine.StringField())  # hashes of the codes not used yet


def totp(secret: str, step: int) -> str:
    """Return the code of a base32 ``secret`` for a period (RFC 6238, RFC 4226 section 5.3)."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def current_step() -> int:
    """Return the number of the period that is now."""
    return int(time.time()) // PERIOD


def has_second_factor(user: str) -> bool:
    """Tell whether a user's sign-in asks for a code."""
    return SecondFactor.collection().find_one({"_id": user, "confirmed": True}, {"_id": 1}) is not None


def begin_enrolment(user: str) -> str:
    """Draw a new secret and return it; it counts once a code of it has been confirmed.

    :raises ConflictError: if the user has a second factor.
    """
    if has_second_factor(user):
        raise ConflictError(f"User {user} has a second factor; disable it first.")
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    fresh = {"secret": secret, "confirmed": False, "last_step": 0, "recovery": []}
    SecondFactor.collection().update_one({"_id": user}, {"$set": fresh}, upsert=True)
    return secret


def provisioning_uri(user: str, secret: str, issuer: str) -> str:
    """Return what an authenticator reads from the QR code."""
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": PERIOD}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(user)}?{query}"


def confirm_enrolment(user: str, code: str) -> list[str]:
    """Turn the second factor on with a first code, and return the recovery codes; they cannot be shown again.

    :raises ConflictError: if no enrolment is under way.
    :raises UnauthenticatedError: if the code is wrong.
    """
    row = SecondFactor.collection().find_one({"_id": user, "confirmed": False})
    if row is None:
        raise ConflictError(f"User {user} has not begun to set up a second factor, or has finished it already.")
    if not _take_code(user, row["secret"], code):
        raise UnauthenticatedError("The code is wrong. Check the clock of the device that shows it.")
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    hashes = [digest(plain(code)) for code in codes]
    SecondFactor.collection().update_one({"_id": user}, {"$set": {"confirmed": True, "recovery": hashes}})
    return codes


def take_code(user: str, code: str) -> None:
    """Take the authenticator's code, or a recovery code; either is good for one time.

    :raises UnauthenticatedError: if it is neither, or was used before.
    """
    row = SecondFactor.collection().find_one({"_id": user, "confirmed": True})
    given = plain(code)
    by_device = len(given) == DIGITS and given.isdecimal()
    if row is None or not (_take_code(user, row["secret"], given) if by_device else _take_recovery(user, given)):
        raise UnauthenticatedError("This code is wrong, or was used before.")


def recovery_codes_left(user: str) -> int:
    """Return how many recovery codes a user has not used yet."""
    row = SecondFactor.collection().find_one({"_id": user, "confirmed": True})
    return len(row["recovery"]) if row else 0


def forget_second_factor(user: str) -> bool:
    """Let a user sign in with the password alone; False if that was so already."""
    return SecondFactor.collection().delete_one({"_id": user}).deleted_count > 0


def plain(code: str) -> str:
    """Return a code without what people put between its letters."""
    return "".join(letter for letter in code.lower() if letter.isascii() and letter.isalnum())


def _take_code(user: str, secret: str, code: str) -> bool:
    """Take a code whose period is near now and later than that of the last one, atomically."""
    now = current_step()
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(totp(secret, step), plain(code)):
            newer = {"_id": user, "last_step": {"$lt": step}}
            return SecondFactor.collection().update_one(newer, {"$set": {"last_step": step}}).modified_count > 0
    return False


def _take_recovery(user: str, code: str) -> bool:
    used = digest(code)
    unused = {"_id": user, "confirmed": True, "recovery": used}
    return SecondFactor.collection().update_one(unused, {"$pull": {"recovery": used}}).modified_count > 0


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()  # 80 bits
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
