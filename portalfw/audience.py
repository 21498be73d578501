"""Who may hear that a document has changed: who may read it, and, this once, who could until now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from portalfw.auth.principal import Principal
from portalfw.events import Change

Hearing = Callable[[Principal], bool]
"""Tells whether somebody may hear of one change."""

Audience = Callable[[Mapping[str, Any]], Hearing]
"""From a document, with its ``_id``, to who may hear of its changes."""

OWN: Final = ("session", "api_token", "passkey")
"""Collections of what is one user's own. That one of them is gone, not whose and which, everybody may hear."""
REMEMBERED: Final = 10_000  # documents whose last audience is known, for when they change hands or are deleted


def operators(principal: Principal) -> bool:
    """Let operators and administrators hear."""
    return principal.is_operator


def signed_in(principal: Principal) -> bool:
    """Let everybody hear who is signed in."""
    return not principal.guest


def readers(users: Collection[str], groups: Collection[str] = ()) -> Hearing:
    """Let these users and groups hear, and operators."""
    names, among = frozenset(users), frozenset(groups)
    return lambda one: one.name in names or not among.isdisjoint(one.groups) or operators(one)


class Audiences:
    """Who may hear of changes, by collection.

    Where nothing is declared everybody hears who is signed in, if ``is_open`` says that everybody may ask for what lies
    in the collection, else operators.
    """

    def __init__(self, is_open: Callable[[str], bool] = lambda _: False) -> None:
        """Begin with what the framework itself keeps: what is one user's own, and what everybody sees."""
        self._is_open = is_open
        self._of: dict[str, Audience] = {
            "user": lambda row: readers([row.get("name", "")]),
            "logo": lambda _: signed_in,
        }
        self._of |= dict.fromkeys(OWN, lambda row: readers([row.get("user") or ""]))
        self._by_id: dict[str, Audience] = {"second_factor": lambda row: readers([str(row["_id"])])}
        self._last: OrderedDict[str, Hearing] = OrderedDict()

    def add(self, collection: str, audience: Audience) -> None:
        """Let ``audience`` tell who may hear of the changes of a collection's documents."""
        self._of[collection] = audience

    def add_by_id(self, collection: str, audience: Audience) -> None:
        """Idem, where no more is needed than the document's ``_id``, so that it can be told of a deleted one too."""
        self._by_id[collection] = audience

    @staticmethod
    def names(change: Change) -> tuple[str, ...]:
        """Return the topics by which a change may be told."""
        gone = change.row is None and change.collection in OWN
        return (change.collection,) if gone else change.names

    def of(self, change: Change) -> Hearing:
        """Return who may hear of a change.

        Of a deleted document these are those who could hear of its last change; if that is not known, operators.
        """
        by_id = self._by_id.get(change.collection)
        if by_id is not None:
            return by_id({"_id": change.id})
        audience = self._of.get(change.collection)
        if audience is None:
            return signed_in if self._is_open(change.collection) else operators
        before = self._last.pop(change.topic, None)
        if change.row is None:
            return signed_in if change.collection in OWN else before or operators
        now = self._last[change.topic] = audience(change.row)
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return now if before is None else either(now, before)


def either(now: Hearing, before: Hearing) -> Hearing:
    """Let hear who may by one or the other."""
    return lambda one: now(one) or before(one)
