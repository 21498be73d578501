"""Names for ids, with one query for a whole list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portalfw.errors import NotFoundError
from portalfw.store import Document


def by_id(kind: type[Document], ids: Iterable[Any], fields: Sequence[str] = ("name",)) -> dict[int, dict[str, Any]]:
    """Return some fields of the documents with these ids; ids that are None or unknown are left out."""
    wanted = sorted({int(identity) for identity in ids if identity is not None})
    if not wanted:
        return {}
    return {row["id"]: row for row in kind.rows({"_id": {"$in": wanted}}, fields=list(fields), sort=None)}


def names(kind: type[Document], rows: Iterable[Mapping[str, Any]], key: str) -> dict[int, str]:
    """Return the names of the documents that ``rows`` refer to by field ``key``."""
    return {identity: row["name"] for identity, row in by_id(kind, (row.get(key) for row in rows)).items()}


def counted(kind: type[Document], key: str, ids: Iterable[int]) -> dict[int, int]:
    """Return how many living documents refer to each of ``ids`` by field ``key``; ids that none does are left out."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"live": True, key: {"$in": list(ids)}}},
        {"$group": {"_id": f"${key}", "count": {"$sum": 1}}},
    ]
    return {row["_id"]: row["count"] for row in kind.collection().aggregate(pipeline)}


def one(kind: type[Document], identity: int) -> dict[str, Any]:
    """Return a document's row.

    :raises NotFoundError: if it does not exist.
    """
    rows = kind.rows({"_id": identity}, limit=1)
    if not rows:
        raise NotFoundError(f"{kind.kind().capitalize()} {identity} does not exist.")
    return rows[0]
