"""Why somebody may do something, or may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from pydantic import TypeAdapter, ValidationError

from portalfw.auth.principal import GUEST, Principal
from portalfw.auth.users import find_user
from portalfw.errors import InvalidError, PortalError
from portalfw.history.page_rules import rules_of_page
from portalfw.rest import Actor, Arg, Method, method
from portalfw.wiki.rights import VERBS, Rule, explained, fits


class Alternative(TypedDict):
    """One of the rights that a method declares, any of which is enough; or one of the letters R, W and A of a page."""

    right: str
    allowed: bool
    reason: str


class RuleRow(TypedDict):
    """One line of the rights of a page or of its space, in the order in which they are asked."""

    name: str  # a group, user:NAME, login or guest
    letters: str
    source: str  # page or space
    replaced: bool  # the page says something else of the name
    fits: bool  # it speaks of the user


class Explanation(TypedDict):
    """Whether a user may call a method or see a page, and why, right by right."""

    method: str | None
    page: str | None  # its address
    title: str
    user: str
    groups: list[str]
    active: bool
    allowed: bool
    scope: str  # what the caller's own credential allows, where the caller asks about itself
    alternatives: list[Alternative]
    rules: list[RuleRow]  # of a page; none of a method


class Access(Actor, app="system"):
    """Who may do what, and why."""

    @method(right="user:S|group:level1,level2,level3", http=("GET", "POST"), readonly=True, live=("user",))
    def explain(
        self,
        method: Annotated[str | None, Arg("Method", help="Such as cloudapi/machines/start.")] = None,
        user: Annotated[str | None, Arg("User", help="By default oneself.")] = None,
        arguments: Annotated[dict[str, Any] | None, Arg("Arguments", help="By wire name: {machineId: 3}.")] = None,
        page: Annotated[str | None, Arg("Page", help="Instead of a method: an address such as /docs/Home.")] = None,
    ) -> Explanation:
        """Say right by right why a user may or may not call a method with some of its arguments, or see a page."""
        if bool(method) == bool(page):
            raise InvalidError("Name either a method or a page.", detail={"argument": "method"})
        caller = self.call.principal
        principal, active = (caller, True) if user in {None, caller.name} else _principal(str(user))
        if page:
            return self._page(principal, page, active=active)
        return self._method(principal, str(method), arguments or {}, active=active)

    def _page(self, principal: Principal, address: str, *, active: bool) -> Explanation:
        found = rules_of_page(self.runtime.history.store, self.call.principal, address)
        letters = [(letter, *explained(principal, found.rules, letter)) for letter in VERBS]
        return {
            "method": None,
            "page": found.address,
            "title": found.name,
            "user": principal.name,
            "groups": sorted(principal.groups),
            "active": active,
            "allowed": active and letters[0][1],
            "scope": "",
            "alternatives": [{"right": one, "allowed": may, "reason": why} for one, may, why in letters],
            "rules": [_rule_row(principal, rule) for rule in found.rules],
        }

    def _method(self, principal: Principal, method: str, arguments: Mapping[str, Any], *, active: bool) -> Explanation:
        asked = self.runtime.dispatcher.describe(method)
        given = _arguments(asked, arguments)
        found = [self._alternative(principal, right, given) for right in asked.declaration.right.split("|")]
        within, scope = self.runtime.policy.explain_scope(principal, asked.address, readonly=asked.declaration.readonly)
        open_to_all = asked.declaration.right == "guest"
        return {
            "method": asked.address,
            "page": None,
            "title": asked.title,
            "user": principal.name,
            "groups": sorted(principal.groups),
            "active": active,
            "allowed": active and (open_to_all or within) and any(row["allowed"] for row in found),
            "scope": scope,
            "alternatives": found,
            "rules": [],
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


def _rule_row(principal: Principal, rule: Rule) -> RuleRow:
    return {
        "name": rule.name,
        "letters": rule.letters,
        "source": rule.source,
        "replaced": rule.replaced,
        "fits": fits(principal, rule),
    }


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
