"""The page on which people add a passkey; its script calls the methods of the API as anybody could."""

from __future__ import annotations

import flask
from flask import Response

from portalfw.auth.principal import Principal
from portalfw.auth.reverify import signed_in_lately
from portalfw.web.frame import NewPasskey, render_new_passkey
from portalfw.web.passkey_sign_in import offer
from portalfw.web.theme import theme_of

PATH = "/login/new-passkey"


def new_passkey(principal: Principal) -> Response:
    """Return the page for ``principal``, who has signed in."""
    request = flask.request
    form = NewPasskey(offer(request), ask_password=not signed_in_lately(principal), theme=theme_of(request))
    return Response(render_new_passkey(form), content_type="text/html; charset=utf-8")
