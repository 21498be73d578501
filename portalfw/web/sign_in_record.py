"""Sign-ins on record, beside the calls: who came in by which way, and why somebody could not."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import flask

from portalfw.auth.principal import GUEST
from portalfw.errors import PortalError
from portalfw.rest.errors import status_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def record_sign_in(
    runtime: Runtime,
    call: str,
    began: float,
    *,
    user: str = "",
    refusal: PortalError | None = None,
    reason: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
) -> None:
    """Write an audit record of the present request, on disk when this returns.

    :param call: under which it stands, such as ``login/oidc``.
    :param began: when, by ``time.perf_counter``.
    :param user: whose sign-in it is; a guest's if nobody knows.
    :param refusal: why it failed; ``reason`` is told instead of its message where the browser was told less.
    """
    runtime.dispatcher.audit.note(
        call,
        flask.g.request_id,
        user=user or GUEST.name,
        address=flask.request.remote_addr or "",
        via="page",
        arguments=arguments,
        status=200 if refusal is None else status_of(refusal),
        error=None if refusal is None else reason or refusal.message,
        duration=time.perf_counter() - began,
        tags=tags,
    )
