"""Which objects of a kind a viewer may find: asked of MongoDB at each question, of kinds with something found only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from portalfw.search.declaration import Searchable, Viewer
from portalfw.search.shelf import Match, Only

MANY: Final = 500  # objects that a viewer may read: of more, those that were found are checked instead
CANDIDATES: Final = 200  # objects found that are checked at once

Look = Callable[[Only | None, int], list[Match]]
"""Looks on the shelf of a kind: among which objects (None for all), and for how many."""


class Allowed:
    """The objects of one kind that one viewer may find."""

    def __init__(self, viewer: Viewer, kind: Searchable) -> None:
        """Ask nothing yet."""
        self._viewer = viewer
        self._kind = kind

    @cached_property
    def condition(self) -> Mapping[str, Any] | None:
        """The MongoDB condition on them: ``{}`` for all, None for none."""
        return self._kind.rights(self._viewer)

    def among(self, matches: list[Match], look: Look, limit: int) -> list[Match]:
        """Return the first ``limit`` matches that the viewer may find, and one more if there is.

        :param matches: what was found among all objects: all there is, unless there are more than ``limit``.
        :param look: looks again for the same.
        """
        if not matches or self.condition is None:
            return []
        if not self.condition:
            return matches
        if len(matches) <= limit:
            return self._checked(matches, self.condition)
        mine = self._refs(self.condition, MANY + 1)
        if len(mine) <= MANY:
            return look(Only("ref", mine), limit + 1) if mine else []
        matches = look(None, CANDIDATES)
        left = self._checked(matches, self.condition)
        if len(left) > limit or len(matches) < CANDIDATES:
            return left
        return look(Only("ref", self._refs(self.condition)), limit + 1)

    def _checked(self, matches: Sequence[Match], condition: Mapping[str, Any]) -> list[Match]:
        here = {"_id": {"$in": [match.data["id"] for match in matches]}}
        allowed = set(self._refs({"$and": [here, dict(condition)]}))
        return [match for match in matches if match.ref in allowed]

    def _refs(self, condition: Mapping[str, Any], limit: int = 0) -> list[str]:
        query = {"$and": [dict(self._kind.where), dict(condition)]}
        rows = self._kind.document.collection().find(query, {"_id": 1}, limit=limit, batch_size=limit or 10 * MANY)
        return [str(row["_id"]) for row in rows]
