"""What is a caller's own: its user, its sessions, its tokens, its passkeys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portalfw.auth import Grant, Principal
from portalfw.auth.passkeys import passkey_owner
from portalfw.auth.sessions import session_owner
from portalfw.auth.tokens import token_owner
from portalfw.extension import right_source

OWN = Grant(frozenset("S"), "which is the caller's own")


@right_source("user")
def user_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell that a caller has right S, as self, on the user of its own name; no name means the caller."""
    return OWN if arguments.get("user") in {None, principal.name} else _of_others("user")


@right_source("session")
def session_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell that a caller has right S on its own sessions."""
    return OWN if session_owner(str(arguments.get("session_id"))) == principal.name else _of_others("session")


@right_source("token")
def token_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell that a caller has right S on its own tokens."""
    identity = arguments.get("token_id")
    owner = token_owner(identity) if isinstance(identity, int) else None
    return OWN if owner == principal.name else _of_others("token")


@right_source("passkey")
def passkey_rights(principal: Principal, arguments: Mapping[str, Any]) -> Grant:
    """Tell that a caller has right S on its own passkeys."""
    identity = arguments.get("passkey_id")
    owner = passkey_owner(identity) if isinstance(identity, int) else None
    return OWN if owner == principal.name else _of_others("passkey")


def _of_others(kind: str) -> Grant:
    return Grant(frozenset(), f"and this {kind} is not the caller's own")
