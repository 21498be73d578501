"""Why somebody may do something, or may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from pydantic import TypeAdapter, ValidationError

from portalfw.auth.principal import GUEST, Principal
from portalfw.auth.users import find_user
from portalfw.errors import InvalidError, PortalError
from portalfw.rest import Actor, Arg, Method, method


class Alternative(TypedDict):
    """One of the rights that a method declares, any of which is enough."""

    right: str
    allowed: bool
    reason: str


class Explanation(TypedDict):
    """Whether a user may call a method, and why, right by right."""

    method: str
    title: str
    user: str
    groups: list[str]
    active: bool
    allowed: bool
    scope: str  # what the caller's own credential allows, where the caller asks about itself
    alternatives: list[Alternative]


class Access(Actor, app="system"):
    """Who may do what, and why."""

    @method(right="user:S|group:level1,level2,level3", http=("GET", "POST"), readonly=True, live=("user",))
    def explain(
        self,
        method: Annotated[str, Arg("Method", help="Such as cloudapi/machines/start.")],
        user: Annotated[str | None, Arg("User", help="By default oneself.")] = None,
        arguments: Annotated[dict[str, Any] | None, Arg("Arguments", help="By wire name: {machineId: 3}.")] = None,
    ) -> Explanation:
        """Say alternative by alternative why a user may or may not call a method with some of its arguments."""
        caller = self.call.principal
        principal, active = (caller, True) if user in {None, caller.name} else _principal(str(user))
        asked = self.runtime.dispatcher.describe(method)
        given = _arguments(asked, arguments or {})
        found = [self._alternative(principal, right, given) for right in asked.declaration.right.split("|")]
        within, scope = self.runtime.policy.explain_scope(principal, asked.address, readonly=asked.declaration.readonly)
        open_to_all = asked.declaration.right == "guest"
        return {
            "method": asked.address,
            "title": asked.title,
            "user": principal.name,
            "groups": sorted(principal.groups),
            "active": active,
            "allowed": active and (open_to_all or within) and any(row["allowed"] for row in found),
            "scope": scope,
            "alternatives": found,
        }

    def _alternative(self, principal: Principal, right: str, given: Mapping[str, Any]) -> Alternative:
        if right == "guest":
            return {"right": right, "allowed": True, "reason": "everybody may, signed in or not"}
        if principal.guest:
            return {"right": right, "allowed": False, "reason": "needs a sign-in"}
        try:
            allowed, reason = self.runtime.policy.explain(principal, right, given)
        except PortalError as error:  # the object does not exist, or an argument that names it is missing
            allowed, reason = False, error.message
        return {"right": right, "allowed": allowed, "reason": reason}


def _principal(name: str) -> tuple[Principal, bool]:
    if name == GUEST.name:
        return GUEST, True
    user = find_user(name)
    return user.principal(), bool(user.active)


def _arguments(asked: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a method's arguments that were given; the right seldom needs all of them."""
    found: dict[str, Any] = {}
    for name, field in asked.model.model_fields.items():
        wire = str(field.validation_alias)
        if wire in given:
            try:
                found[name] = TypeAdapter[Any](field.annotation or Any).validate_python(given[wire])
            except ValidationError as error:
                raise InvalidError(
                    f"Argument {wire}: {error.errors()[0]['msg']}.", detail={"argument": wire}
                ) from error
    return found
