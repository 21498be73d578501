"""What a space's ``space.yaml`` says, read and changed by those who administer the space."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from portalfw.auth.principal import Principal
from portalfw.auth.users import Group, User
from portalfw.errors import InvalidError
from portalfw.history.access import check, has
from portalfw.history.names import CONFIG
from portalfw.history.pages import author_of, subject
from portalfw.history.views import Changes, Store, View, text_of
from portalfw.wiki.rights import LETTERS
from portalfw.wiki.space import Navigation, SpaceConfig, read_config

LONGEST_TITLE: Final = 100  # characters
ICON: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ORDER: Final = 1000.0
ANYBODY: Final = frozenset({"guest", "login"})
USER: Final = "user:"
WIDE: Final = 10_000  # characters of a line, so that none is broken


@dataclass(frozen=True)
class SpaceSettings:
    """What ``space.yaml`` says; ``writes`` tells whether the reader may change it."""

    space: str
    config: SpaceConfig
    writes: bool


@dataclass(frozen=True)
class Wish:
    """What ``space.yaml`` shall say; None leaves it as it is."""

    title: str | None = None
    icon: str | None = None
    order: float | None = None
    hidden: bool | None = None
    toc: bool | None = None
    navigation: Navigation | None = None
    rights: str | None = None  # lines of name: letters


def read_settings(store: Store, principal: Principal, space: str) -> SpaceSettings:
    """Return what ``space.yaml`` says to who may read the space."""

    def look(view: View) -> SpaceSettings:
        check(principal, view, None, "R", f"the space {space}")
        return _settings(principal, space, view)

    return store.look(space, look)


def write_settings(store: Store, principal: Principal, space: str, wish: Wish, message: str = "") -> SpaceSettings:
    """Change what ``space.yaml`` says, in one commit of whoever asks, and return it.

    :raises ForbiddenError: without right A on the space.
    :raises InvalidError: naming the argument that cannot be.
    """
    changes = _checked(wish)

    def build(view: View) -> Changes:
        check(principal, view, None, "A", f"the space {space}")
        before = text_of(view, CONFIG) or ""
        given = {**_known(before), **changes}
        text = yaml.safe_dump(_said(given), allow_unicode=True, sort_keys=False, default_flow_style=None, width=WIDE)
        read_config(space, text, CONFIG)
        return {} if _known(before) == _said(given) else {CONFIG: text.encode()}

    store.change(space, author_of(principal), subject(message, f"Change the settings of {space}"), build)
    return store.look(space, lambda view: _settings(principal, space, view))


def rights_lines(rights: Mapping[str, str]) -> str:
    """Return rights as people write them into a form."""
    return "\n".join(f"{name}: {letters}" for name, letters in rights.items())


def read_lines(lines: str) -> dict[str, str]:
    """Return the rights that lines such as ``level1: RW`` and ``user:alice: R`` give.

    :raises InvalidError: naming the line that cannot be understood, or that speaks of nobody there is.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(filter(None, map(str.strip, lines.splitlines())), 1):
        name, colon, letters = (part.strip() for part in line.rpartition(":"))
        wanted = letters.upper().replace(" ", "").replace(",", "")
        if not colon or not name or not set(wanted) <= LETTERS:
            raise _wrong(
                "rights", f"line {number}: write a group, user:NAME, login or guest, then : and letters of R, W and A"
            )
        if name in found:
            raise _wrong("rights", f"line {number}: {name} is there twice")
        _check_name(name, number)
        found[name] = "".join(letter for letter in "RWA" if letter in wanted)
    return found


def _check_name(name: str, number: int) -> None:
    if name in ANYBODY:
        return
    person = name.startswith(USER)
    wanted = name.removeprefix(USER)
    if not (User if person else Group).rows({"name": wanted}, fields=["_id"], limit=1):
        raise _wrong("rights", f"line {number}: there is no {'user' if person else 'group'} {wanted[:60]}")


def _checked(wish: Wish) -> dict[str, Any]:
    """Return what changes, by key of ``space.yaml``."""
    changes = {name: value for name, value in vars(wish).items() if value is not None}
    if wish.title is not None:
        changes["title"] = " ".join(wish.title.split())
        if not 1 <= len(changes["title"]) <= LONGEST_TITLE:
            raise _wrong("title", f"must be of 1 to {LONGEST_TITLE} characters")
    if wish.icon and not ICON.fullmatch(wish.icon):
        raise _wrong("icon", "must be a name of bootstrap-icons, such as book or hdd-network")
    if wish.rights is not None:
        changes["rights"] = read_lines(wish.rights)
    if wish.order is not None and wish.order == int(wish.order):
        changes["order"] = int(wish.order)
    return changes


def _known(text: str) -> dict[str, Any]:
    """Return what a text says; nothing if it cannot be understood: the form puts it right."""
    try:
        read_config("space", text, CONFIG)
    except InvalidError:
        return {}
    found: dict[str, Any] = yaml.safe_load(text) or {}
    return found


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be said: what is so anyway is left out."""
    anyway = {"icon": "", "order": ORDER, "hidden": False, "toc": False, "navigation": "written"}
    return {name: value for name, value in given.items() if name not in anyway or value != anyway[name]}


def _settings(principal: Principal, space: str, view: View) -> SpaceSettings:
    config = read_config(space, text_of(view, CONFIG) or "", CONFIG)
    return SpaceSettings(space.lower(), config, has(principal, view, None, "A"))


def _wrong(argument: str, problem: str) -> InvalidError:
    return InvalidError(f"The {argument}: {problem}.", detail={"argument": argument, "problem": problem})
