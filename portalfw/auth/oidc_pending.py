"""Sign-ins between leaving for a provider and coming back: each is one browser's, and good for one time."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any, ClassVar

import mongoengine

from portalfw.auth.credentials import digest
from portalfw.errors import UnauthenticatedError
from portalfw.store import Document

LIFE = 600  # seconds for passwords and second factors at the provider
COOKIE = "portalfw_oidc_"  # and the first letters of the state's hash, so that two tabs do not disturb each other


class OidcSignIn(Document):
    """Somebody has been sent to a provider."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "oidc_sign_in",
        "indexes": [{"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # SHA-256 of the state
    browser = mongoengine.StringField()  # SHA-256 of the cookie's value
    provider = mongoengine.StringField()
    nonce = mongoengine.StringField()
    code_verifier = mongoengine.StringField()
    redirect_uri = mongoengine.StringField()
    target = mongoengine.StringField()
    expires = mongoengine.DateTimeField()


@dataclass(frozen=True)
class Started:
    """One sign-in under way: what goes to the provider, what stays here, and what only the browser has."""

    provider: str
    redirect_uri: str
    target: str  # the page of ours that the person wants
    state: str
    nonce: str
    code_verifier: str
    browser: str = ""

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds :attr:`browser`."""
        return cookie_name(self.state)


def cookie_name(state: str) -> str:
    """Return the name of the cookie that belongs to a state."""
    return COOKIE + digest(state)[:12]


def start(provider: str, redirect_uri: str, target: str) -> Started:
    """Draw the secrets of a new sign-in and remember it."""
    state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
    row = {
        "_id": digest(state),
        "browser": digest(browser),
        "provider": provider,
        "nonce": nonce,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
        "target": target,
        "expires": dt.datetime.now(dt.UTC) + dt.timedelta(seconds=LIFE),
    }
    OidcSignIn.collection().insert_one(row)
    return Started(provider, redirect_uri, target, state, nonce, verifier, browser)


def take(provider: str, state: str, browser: str) -> Started:
    """Use a sign-in up and return it.

    :raises UnauthenticatedError: if this browser has begun none with this state, has finished it, or took too long.
    """
    mine = {"_id": digest(state), "provider": provider, "browser": digest(browser)}
    row = OidcSignIn.collection().find_one_and_delete({**mine, "expires": {"$gt": dt.datetime.now(dt.UTC)}})
    if row is None:
        raise UnauthenticatedError(
            "This sign-in was not begun in this browser, was finished before, or took too long. Begin again."
        )
    return Started(provider, row["redirect_uri"], row["target"], state, row["nonce"], row["code_verifier"])
