"""From a question and a viewer to what was found: grouped, marked, and nothing that the viewer may not read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypedDict

from portalfw.auth.principal import Principal
from portalfw.search.allowed import Allowed
from portalfw.search.declaration import Searchable, Viewer
from portalfw.search.index import Index
from portalfw.search.pages import Pages
from portalfw.search.shelf import Match, Only, Tier
from portalfw.search.words import PAGE, Question, fold, marked, understand
from portalfw.wiki.address import link

MOST: Final = 50  # hits of one kind
SPARE: Final = 4  # pages looked for beyond those asked for, in case that some have changed since they were read
NAMED: Final = 3  # objects that a text may name outright


class Hit(TypedDict):
    """One thing that was found. ``marked`` and ``snippet`` are texts cut where they match: every second part does."""

    id: str
    title: str
    marked: list[str]
    snippet: list[str]
    href: str | None  # none if no page shows it to the viewer
    icon: str
    state: str | None
    note: str
    how: str  # exact, beginning, title, part, text, near


class Group(TypedDict):
    """What was found of one kind; ``more`` tells that there is more than was asked for."""

    kind: str
    title: str
    hits: list[Hit]
    more: bool


class Found(TypedDict):
    """The answer to a question; it is not ``complete`` while the index is being made."""

    groups: list[Group]
    milliseconds: float
    complete: bool


@dataclass(frozen=True)
class _Scoped:
    """A kind of thing, and which of them the viewer may find: of pages those that ``only`` leaves."""

    kind: str
    only: Only | None = None
    allowed: Allowed | None = None


Snippets = dict[int, str]
"""Pieces of pages' texts where the words stand, by row."""


class Finder:
    """Answers questions. Rights are asked at each question: the index knows nothing of them."""

    def __init__(self, index: Index, pages: Pages, kinds: Sequence[Searchable]) -> None:
        """Bind to the index and to what decides about rights."""
        self._index = index
        self._pages = pages
        self._kinds = {kind.kind: kind for kind in kinds}
        self._words = {fold(word): kind.kind for kind in kinds for word in (kind.kind, kind.plural, *kind.aliases)}
        self._words |= {PAGE: PAGE, "pages": PAGE}
        self.names = (*self._kinds, PAGE)

    def find(self, principal: Principal, text: str, kinds: Collection[str] | None, limit: int) -> Found:
        """Return what a viewer may find.

        :param kinds: only these; all if None.
        :param limit: of hits of one kind, at most 50.
        """
        began = time.perf_counter()
        question = understand(text.encode("utf-8", "replace").decode().replace("\0", " "), self._words)
        limit = max(1, min(limit, MOST))
        wanted = [kind for kind in self.names if _wanted(kind, question, kinds)]
        groups = self._groups(principal, question, wanted, limit) if question.text or question.only else []
        return {
            "groups": groups,
            "milliseconds": round((time.perf_counter() - began) * 1000, 2),
            "complete": True,
        }

    def page_of(self, principal: Principal, target: str) -> bool:
        """Tell whether the viewer may read the page at an address ``/space/Page?…``."""
        _, space, name = target.partition("?")[0].split("/", 2)
        return self._pages.may_read(principal, space, name)

    def _groups(self, principal: Principal, question: Question, wanted: list[str], limit: int) -> list[Group]:
        viewer = Viewer(principal)
        scopes = [scope for scope in (self._scope(viewer, kind) for kind in wanted) if scope]
        found, snippets = self._found(question, scopes, limit)
        for scope in scopes:
            named = self._named(scope, question)
            refs = {match.ref for match in named}
            found[scope.kind] = [*named, *(match for match in found.get(scope.kind, ()) if match.ref not in refs)]
        if not any(found.values()):
            found, snippets = self._found(replace(question, near=True), scopes, limit)
        groups = [self._group(principal, question, kind, matches, snippets, limit) for kind, matches in found.items()]
        order = [scope.kind for scope in scopes]
        known = [group for group in groups if group["hits"]]
        return sorted(known, key=lambda one: (Tier[one["hits"][0]["how"].upper()], order.index(one["kind"])))

    def _group(
        self,
        principal: Principal,
        question: Question,
        kind: str,
        matches: Sequence[Match],
        snippets: Snippets,
        limit: int,
    ) -> Group:
        hits = self._hits(principal, question, kind, matches, snippets)
        title = self._kinds[kind].plural if kind in self._kinds else "Pages"
        return {"kind": kind, "title": title, "hits": hits[:limit], "more": len(hits) > limit}

    def _scope(self, viewer: Viewer, kind: str) -> _Scoped | None:
        """Return which things of a kind the viewer may find; None if it finds none of that kind at all."""
        principal = viewer.principal
        if kind == PAGE:
            only = self._pages.readable(principal)
            return _Scoped(kind, only) if only.values else None
        declared = self._kinds[kind]
        if principal.guest or (principal.apps is not None and principal.apps.isdisjoint(declared.apps)):
            return None
        return _Scoped(kind, allowed=Allowed(viewer, declared))

    def _found(
        self, question: Question, scopes: Sequence[_Scoped], limit: int
    ) -> tuple[dict[str, list[Match]], Snippets]:
        """Look on all shelves at once, then leave what the viewer may find."""
        found, snippets = self._index.read(lambda connection: self._look_on_all(connection, question, scopes, limit))
        for scope in scopes:
            if scope.allowed is not None:
                found[scope.kind] = scope.allowed.among(
                    found[scope.kind], partial(self._look_again, question, scope.kind), limit
                )
        return found, snippets

    def _look_on_all(
        self, connection: sqlite3.Connection, question: Question, scopes: Sequence[_Scoped], limit: int
    ) -> tuple[dict[str, list[Match]], Snippets]:
        found = {}
        for scope in scopes:
            most = limit + (SPARE if scope.kind == PAGE else 1)
            found[scope.kind] = self._look(connection, question, scope.kind, scope.only, most)
        pages = self._index.shelves[PAGE]
        return found, {match.row: pages.snippet(connection, question, match.row) for match in found.get(PAGE, [])}

    def _look_again(self, question: Question, kind: str, only: Only | None, limit: int) -> list[Match]:
        return self._index.read(lambda connection: self._look(connection, question, kind, only, limit))

    def _look(
        self, connection: sqlite3.Connection, question: Question, kind: str, only: Only | None, limit: int
    ) -> list[Match]:
        shelf = self._index.shelves.get(kind)
        if shelf is None:
            return []
        return (shelf.near if question.near else shelf.find)(connection, question, only, limit)

    def _named(self, scope: _Scoped, question: Question) -> list[Match]:
        """Return the objects that the question names outright and that are not on a shelf."""
        declared = self._kinds.get(scope.kind)
        if declared is None or declared.lookup is None or scope.allowed is None or not question.text:
            return []
        named = declared.lookup(question.text)
        condition = None if named is None else scope.allowed.condition
        if named is None or condition is None:
            return []
        query = {"$and": [dict(named), dict(condition), dict(declared.where)]}
        entries = [declared.entry(row) for row in declared.document.rows(query, fields=declared.fields, limit=NAMED)]
        return [Match(Tier.EXACT, entry.ref, entry.title, entry.data, 0) for entry in entries]

    def _hits(
        self, principal: Principal, question: Question, kind: str, matches: Sequence[Match], snippets: Snippets
    ) -> list[Hit]:
        if kind == PAGE:
            hits = [self._page_hit(principal, question, match, snippets.get(match.row, "")) for match in matches]
            return [hit for hit in hits if hit is not None]
        declared = self._kinds[kind]
        shown = (*declared.pages, *self._pages.showing(kind)) if matches else ()
        page = next((page for page in shown if self.page_of(principal, page)), None)
        return [_object_hit(declared, question, match, page) for match in matches]

    def _page_hit(self, principal: Principal, question: Question, match: Match, snippet: str) -> Hit | None:
        shown = self._pages.shown(principal, match.data)
        if shown is None:
            return None
        return {
            "id": match.ref,
            "title": match.title,
            "marked": _marked(match, question),
            "snippet": marked(snippet, question.words) if snippet else [],
            "href": link(shown["href"], "", {}),
            "icon": match.data["icon"],
            "state": None,
            "note": shown["space"],
            "how": match.tier.name.lower(),
        }


def _object_hit(declared: Searchable, question: Question, match: Match, page: str | None) -> Hit:
    title = _marked(match, question)
    named = "" if len(title) > 1 else _telling(match.data["names"], question)
    return {
        "id": match.ref,
        "title": match.title,
        "marked": title,
        "snippet": marked(named, question.words) if named else [],
        "href": link(page, "", {"id": match.data["id"], **match.data["row"]}) if page else None,
        "icon": declared.icon,
        "state": match.data.get("state"),
        "note": str(match.data["id"]) if isinstance(match.data["id"], int) else "",
        "how": match.tier.name.lower(),
    }


def _marked(match: Match, question: Question) -> list[str]:
    return [match.title] if match.tier is Tier.NEAR or question.number else marked(match.title, question.words)


def _telling(names: Sequence[str], question: Question) -> str:
    """Return the name by which an object was found that its title does not show."""
    return next((name for name in names if any(word in fold(name) for word in question.words)), "")


def _wanted(kind: str, question: Question, kinds: Collection[str] | None) -> bool:
    return (kinds is None or kind in kinds) and (question.only is None or kind in question.only)
