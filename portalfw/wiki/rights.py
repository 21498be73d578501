"""Who may read (R), write (W) and administer (A) a space or page: a table of names and letters.

Names are groups, ``user:NAME``, ``login`` (everyone signed in) and ``guest`` (everyone). What a page says of a name
replaces what its space says of it; the letters of all names that fit the viewer add up. Administrators have all.
"""

from __future__ import annotations

from collections.abc import Mapping

from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, InvalidError, UnauthenticatedError

LETTERS = frozenset("RWA")
Rights = Mapping[str, str]


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
    names = {"guest"} if principal.guest else {"guest", "login", f"user:{principal.name}", *principal.groups}
    return frozenset(letter for name in names for letter in rights.get(name, ""))


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
    verb = {"R": "see", "W": "edit", "A": "administer"}[letter]
    raise ForbiddenError(f"{principal.name} may not {verb} {what}; this needs one of: {', '.join(may)}.")
