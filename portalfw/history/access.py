"""Who may read and write what, told from the texts of a space's ``space.yaml`` and of the page."""

from __future__ import annotations

from functools import lru_cache

from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, InvalidError
from portalfw.history.names import CONFIG
from portalfw.history.views import View, text_of
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.rights import Rights, Rule, letters_of, read_rights, require, rules_of
from portalfw.wiki.source import read_source
from portalfw.wiki.space import read_config

NOBODY: Rights = {}  # but administrators


@lru_cache(2048)
def page_rights(text: str) -> Rights | None:
    """Return what a page's front matter says; None if it cannot be understood."""
    try:
        return read_rights(read_source(text).meta.get("rights"), "page")
    except (PageSyntaxError, InvalidError):
        return None


@lru_cache(256)
def space_rights(text: str | None) -> Rights:
    """Return what a ``space.yaml`` says; nobody's rights if it cannot be understood."""
    try:
        return NOBODY if text is None else read_config("space", text, CONFIG).rights
    except InvalidError:
        return NOBODY


def rights_at(view: View, path: str | None) -> Rights:
    """Return the rights on a page at a view, or on the space without a path.

    A page whose front matter cannot be understood is for those who administer the space: it may have meant to be
    closed to others.
    """
    of_space, own = _said(view, path)
    return {**of_space, **own}


def rules_at(view: View, path: str | None) -> list[Rule]:
    """Return the same as rules, in the order in which they are asked."""
    return rules_of(*_said(view, path))


def _said(view: View, path: str | None) -> tuple[Rights, Rights]:
    """Return what the space says, and what the page says."""
    of_space = space_rights(text_of(view, CONFIG))
    text = None if path is None else text_of(view, path)
    if text is None:
        return of_space, {}
    own = page_rights(text)
    if own is None:
        return {name: letters for name, letters in of_space.items() if "A" in letters}, {}
    return of_space, own


def check(principal: Principal, view: View, path: str | None, letter: str, what: str) -> None:
    """Return if the principal has ``letter`` on a page, or on the space without a path.

    :raises UnauthenticatedError: for a guest.
    :raises ForbiddenError: for a user, saying who may.
    """
    require(principal, rights_at(view, path), letter, what)


def has(principal: Principal, view: View, path: str | None, letter: str) -> bool:
    """Tell whether the principal has ``letter`` on a page, or on the space without a path."""
    return letter in letters_of(principal, rights_at(view, path))


def check_rights_change(principal: Principal, view: View, path: str | None, before: str | None, after: str) -> None:
    """Return if a new text of a page says the same of rights, or the principal administers it.

    :raises ForbiddenError: if it may not.
    """
    old = {} if before is None else page_rights(before)
    if page_rights(after) != old and not has(principal, view, path, "A"):
        raise ForbiddenError(
            f"{principal.name} may edit this page, but not change its rights; this needs right A.",
            detail={"argument": "text", "key": "rights"},
        )
