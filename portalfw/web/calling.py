"""Methods called by pages that are no wiki pages: as if their visitor had called them over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import flask
from flask.globals import request_ctx

from portalfw.auth.origin import public_url
from portalfw.auth.principal import Principal
from portalfw.rest.dispatch import Call

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def call_method(runtime: Runtime, principal: Principal, address: str, given: Mapping[str, Any]) -> Any:
    """Call the method at ``address`` for who sent the request, whose id and address the audit log gets.

    :raises PortalError: what the method raises.
    """
    request = request_ctx.request
    where = partial(public_url, request)
    call = Call(principal, request.remote_addr or "", "page", flask.g.request_id, where)
    return runtime.dispatcher.run(runtime.dispatcher.describe(address), given, call)
