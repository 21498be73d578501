"""Who may read (R), write (W) and administer (A) a space or page: a table of names and letters.

Names are groups, ``user:NAME``, ``login`` (everyone signed in) and ``guest`` (everyone). What a page says of a name
replaces what its space says of it; the letters of all names that fit the viewer add up. Administrators have all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, InvalidError, UnauthenticatedError

LETTERS = frozenset("RWA")
Rights = Mapping[str, str]
VERBS = {"R": "see", "W": "edit", "A": "administer"}


@dataclass(frozen=True)
class Rule:
    """One line of a table of rights, and where it stands; ``replaced`` if the page says something else of the name."""

    name: str
    letters: str
    source: Literal["page", "space"]
    replaced: bool = False

    @property
    def place(self) -> str:
        """Where it is written, in words."""
        return "the front matter of the page" if self.source == "page" else "space.yaml of the space"


def read_rights(value: object, where: str) -> dict[str, str]:
    """Check a table of rights.

    :raises InvalidError: naming the place and the wrong entry.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidError(f"{where}: rights must be lines of group: letters")
    found = {str(name): str(letters or "").upper() for name, letters in value.items()}
    for name, letters in found.items():
        if not set(letters) <= LETTERS:
            raise InvalidError(f"{where}: rights of {name} may be of the letters R, W and A, not {letters!r}")
    return found


def letters_of(principal: Principal, rights: Rights) -> frozenset[str]:
    """Return the letters that a viewer has."""
    if principal.is_admin:
        return LETTERS
    return frozenset(letter for name in _names(principal) for letter in rights.get(name, ""))


def rules_of(space: Rights, page: Rights) -> list[Rule]:
    """Return what decides about a page, in the order in which it is asked: what the page says, then its space."""
    own = [Rule(name, letters, "page") for name, letters in page.items()]
    return own + [Rule(name, letters, "space", replaced=name in page) for name, letters in space.items()]


def explained(principal: Principal, rules: Sequence[Rule], letter: str) -> tuple[bool, str]:
    """Tell whether a viewer has a letter, and by which rule first; or which rules fit and do not give it."""
    if principal.is_admin:
        return True, "administrators may do everything"
    fitting = [rule for rule in rules if rule.name in _names(principal)]
    found = next((rule for rule in fitting if letter in rule.letters and not rule.replaced), None)
    if found is not None:
        inherited = ", which the page inherits" if found.source == "space" else ""
        return True, f"{found.name}: {found.letters} in {found.place}{inherited}; {_why(principal, found.name)}"
    if not fitting:
        return False, f"no rule speaks of {principal.name} or a group of {principal.name}'s"
    said = "; ".join(f"{rule.name}: {rule.letters or 'nothing'} in {rule.place}{_replaced(rule)}" for rule in fitting)
    return False, f"no rule that fits gives {letter}: {said}"


def fits(principal: Principal, rule: Rule) -> bool:
    """Tell whether a rule speaks of a viewer, and counts."""
    return rule.name in _names(principal) and not rule.replaced


def _names(principal: Principal) -> Sequence[str]:
    """Return the names that stand for a viewer in tables of rights, the closest first."""
    if principal.guest:
        return ["guest"]
    return [f"user:{principal.name}", *sorted(principal.groups), "login", "guest"]


def _why(principal: Principal, name: str) -> str:
    if name == "guest":
        return "everybody is meant"
    if name == "login":
        return f"{principal.name} has signed in"
    return f"this is {principal.name}" if name.startswith("user:") else f"{principal.name} is in this group"


def _replaced(rule: Rule) -> str:
    return " (which the page replaces)" if rule.replaced else ""


def require(principal: Principal, rights: Rights, letter: str, what: str) -> None:
    """Return if the viewer has ``letter`` on ``what``.

    :raises UnauthenticatedError: for a guest, who may sign in.
    :raises ForbiddenError: for a user, saying who may.
    """
    if letter in letters_of(principal, rights):
        return
    if principal.guest:
        raise UnauthenticatedError(f"Sign in to see {what}.")
    may = sorted({"admin", *(name for name, letters in rights.items() if letter in letters)})
    raise ForbiddenError(f"{principal.name} may not {VERBS[letter]} {what}; this needs one of: {', '.join(may)}.")
