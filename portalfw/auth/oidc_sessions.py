"""Which sessions were begun at a provider, so that signing out can go on there (RP-Initiated Logout 1.0)."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import mongoengine
from authlib.common.urls import add_params_to_uri

from portalfw.auth.credentials import digest
from portalfw.auth.oidc_flow import Oidc
from portalfw.errors import NotFoundError, UnavailableError
from portalfw.store import Document


class OidcSession(Document):
    """A session that a provider vouched for; apart from the session, so that no list of these shows the id token."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "oidc_session",
        "indexes": [{"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # as of the session: SHA-256 of the cookie's value
    provider = mongoengine.StringField()
    id_token = mongoengine.StringField()
    expires = mongoengine.DateTimeField()


def note_provider(session: str, provider: str, id_token: str, hours: float) -> None:
    """Remember that the session of a cookie's value was begun at ``provider``."""
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    row = {"_id": digest(session), "provider": provider, "id_token": id_token, "expires": expires}
    OidcSession.collection().insert_one(row)


def sign_out_at(oidc: Oidc, session_id: str, back: str | None) -> tuple[str, str] | None:
    """Return the title of the provider that a session was begun at, and its address to sign out there.

    :param session_id: the hash of the session's cookie.
    :param back: the address of ours that the provider leads back to; it stays there if None.
    :return: None if the session was begun otherwise, or the provider offers this not, or not now.
    """
    row = OidcSession.collection().find_one({"_id": session_id})
    if row is None:
        return None
    try:
        provider = oidc.provider(row["provider"])
        address = provider.metadata.get("end_session_endpoint")
    except (NotFoundError, UnavailableError):
        return None
    if not address:
        return None
    query = {"id_token_hint": row["id_token"], "client_id": provider.settings.client_id}
    if back is not None:
        query["post_logout_redirect_uri"] = back
    return provider.settings.label, add_params_to_uri(address, query)
