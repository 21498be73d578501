"""Who may do what: rights as declared, explained in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, StartError, UnauthenticatedError

#: What every credential needs to find out how its own calls ended; these methods answer only about the caller's own.
ALWAYS = frozenset({"system/task/get"})


@dataclass(frozen=True)
class Grant:
    """The letters that a principal has on an object, and why."""

    letters: frozenset[str]
    reason: str


RightSource = Callable[[Principal, Mapping[str, Any]], Grant]


class Policy:
    """Decides by the declared right; letters of resources come from sources that the content registers."""

    def __init__(self) -> None:
        """Begin without sources."""
        self._sources: dict[str, RightSource] = {}

    def add_source(self, resource: str, source: RightSource) -> None:
        """Let ``source`` tell the letters that a principal has on a ``resource``."""
        self._sources[resource] = source

    def validate(self, right: str, place: str) -> None:
        """Check that a declared right can be decided.

        :raises StartError: naming ``place``.
        """
        for alternative in right.split("|"):
            kind, _, rest = alternative.partition(":")
            known = kind in {"guest", "login"} or (kind == "group" and rest) or (kind in self._sources and rest)
            if not known:
                raise StartError(
                    f"{place}: right {alternative!r} is neither guest, login, group:… nor a known resource:LETTERS."
                )

    def require(
        self,
        principal: Principal,
        right: str,
        arguments: Mapping[str, Any],
        *,
        address: str | None = None,
        readonly: bool = False,
    ) -> None:
        """Return if ``principal`` has ``right`` for a call with ``arguments``.

        :param address: of the method, if it is one; a limited credential may be too narrow for it.
        :param readonly: whether the method only reads.
        :raises UnauthenticatedError: if a guest asks for what needs a sign-in.
        :raises ForbiddenError: saying what is missing.
        """
        if right == "guest":
            return
        if principal.guest:
            raise UnauthenticatedError("Sign in first, or send an API token as Authorization: Bearer.")
        if principal.limited and address is not None:
            allowed, reason = self.explain_scope(principal, address, readonly=readonly)
            if not allowed:
                raise ForbiddenError(f"This credential of {principal.name} may not do this: {reason}.")
        if principal.is_admin and "|" not in right and right.partition(":")[0] in {"login", "group"}:
            return
        reasons = []
        for alternative in right.split("|"):
            allowed, reason = self.explain(principal, alternative, arguments)
            if allowed:
                return
            reasons.append(reason)
        raise ForbiddenError(f"{principal.name} may not do this: {'; '.join(reasons)}.")

    @staticmethod
    def explain_scope(principal: Principal, address: str, *, readonly: bool) -> tuple[bool, str]:
        """Decide whether a credential's limits leave room for a method, and say why."""
        if address in ALWAYS:
            return True, "every credential may"
        app = address.partition("/")[0]
        if principal.apps is not None and app not in principal.apps:
            return False, f"its scope is apps {', '.join(sorted(principal.apps))}, not {app}"
        if principal.readonly and not readonly:
            return False, f"its scope is read-only, and {address} changes something"
        return True, "within the credential's scope" if principal.limited else "the credential has no limits"

    def explain(self, principal: Principal, alternative: str, arguments: Mapping[str, Any]) -> tuple[bool, str]:
        """Decide one alternative of a right and say why."""
        kind, _, rest = alternative.partition(":")
        if kind in {"guest", "login"}:
            return True, "every signed-in user may"
        if kind == "group":
            names = rest.split(",")
            held = [name for name in names if name in principal.groups]
            if held or principal.is_admin:
                return True, f"is in group {held[0]}" if held else "administrators may do everything"
            return False, f"needs group {' or '.join(names)}"
        grant = self._sources[kind](principal, arguments)
        if principal.is_admin:
            return True, "administrators may do everything"
        missing = "".join(letter for letter in rest if letter not in grant.letters)
        if not missing:
            return True, f"has right {rest} on the {kind}"
        return False, f"needs right {rest} on the {kind}, {grant.reason}"
