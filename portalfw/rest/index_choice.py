"""Which index serves a page of a list.

Left alone, MongoDB tries all indexes whose first field is asked for, by turns, and anew whenever a page lies much
deeper than the one before: most of the time of a deep page goes there. So where one declared index surely serves, it
is named; where a caller's filter may narrow better by another, the choice stays MongoDB's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portalfw.store import Document

Keys = list[tuple[str, int]]
#: Operators that leave most rows, whatever index serves them.
_LOOSE = frozenset({"$regex", "$options", "$not", "$ne"})


def serving_index(
    document: type[Document], asked: Iterable[Mapping[str, Any]], order: Keys, *, searched: bool
) -> Keys | None:
    """Return the keys of the declared index by which to read rows in ``order``, or None to let MongoDB choose.

    It begins with what is asked by equality, and goes on as ``order`` does if all conditions can be decided in it.
    Otherwise it goes on by id, about as documents are stored: reading all of them by name would jump about.

    :param asked: conditions that all must hold.
    :param searched: whether a search reads documents besides, which no index narrows.
    """
    conditions = [(name, wanted) for part in asked for name, wanted in part.items()]
    equal = {name: wanted for name, wanted in conditions if not isinstance(wanted, (Mapping, list))}
    narrowing = {name for name, wanted in conditions if not isinstance(wanted, Mapping) or not wanted.keys() <= _LOOSE}
    if "_id" in narrowing:
        return None
    fitting = [
        keys for keys, partial in _declared(document) if narrowing <= _names(keys) and partial.items() <= equal.items()
    ]
    decided = [] if searched else [keys for keys in fitting if {name for name, _ in conditions} <= _names(keys)]
    ordered = (keys for keys in decided if _in_order(keys[_leading(keys, equal) :], order))
    stored = (keys for keys in fitting if _leading(keys, equal) > 0 and _by_id(keys[_leading(keys, equal) :]))
    return next(ordered, None) or next(stored, None)


def _declared(document: type[Document]) -> list[tuple[Keys, dict[str, Any]]]:
    specs = document._meta["index_specs"]  # noqa: SLF001 - mongoengine's own place for it
    return [(spec["fields"], spec.get("partialFilterExpression", {})) for spec in specs if not spec.get("sparse")]


def _names(keys: Keys) -> set[str]:
    return {name for name, _ in keys}


def _leading(keys: Keys, equal: Mapping[str, Any]) -> int:
    """Return how many keys at the beginning are asked for by equality."""
    return next((number for number, (name, _) in enumerate(keys) if name not in equal), len(keys))


def _by_id(keys: Keys) -> bool:
    return not keys or keys[0][0] == "_id"


def _in_order(keys: Sequence[tuple[str, int]], order: Keys) -> bool:
    begin = list(keys[: len(order)])
    return begin in (order, [(name, -direction) for name, direction in order])
