"""The base of all documents: integer ids from a counter, plain rows for lists, and atomic changes of state."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import mongoengine
from pymongo import ReturnDocument
from pymongo.collection import Collection as MongoCollection

from portalfw.errors import ConflictError, NotFoundError


class Document(mongoengine.Document):  # type: ignore[misc]  # mongoengine carries no types
    """A document whose ``id`` is a small integer, unique in its collection."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    id = mongoengine.IntField(primary_key=True)

    @classmethod
    def kind(cls) -> str:
        """Return the word that people use for it, for instance ``external network``."""
        return cls.collection_name().replace("_", " ")

    @classmethod
    def collection_name(cls) -> str:
        """Return the name of its collection, which is also its topic on the event bus."""
        return str(cls._get_collection_name())

    @classmethod
    def collection(cls) -> MongoCollection[dict[str, Any]]:
        """Return the pymongo collection, for queries that need no documents."""
        found: MongoCollection[dict[str, Any]] = cls._get_collection()
        return found

    @classmethod
    def create(cls, **values: Any) -> Self:
        """Insert a new document with the next id and return it.

        :raises mongoengine.NotUniqueError: if a unique index refuses it.
        """
        document: Self = cls(id=cls.next_id(), **values)
        document.save(force_insert=True)
        return document

    @classmethod
    def next_id(cls) -> int:
        """Draw the next id of this collection from its counter."""
        return cls.next_ids(1)[0]

    @classmethod
    def next_ids(cls, count: int) -> range:
        """Draw the next ids of this collection from its counter, at once."""
        counters = cls._get_db()["counter"]
        row = counters.find_one_and_update(
            {"_id": cls.collection_name()}, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        return range(int(row["last"]) - count + 1, int(row["last"]) + 1)

    @classmethod
    def get(cls, identity: int) -> Self:
        """Return the document with this id.

        :raises NotFoundError: if there is none.
        """
        row = cls.collection().find_one({"_id": identity})
        if row is None:
            raise NotFoundError(f"{cls.kind().capitalize()} {identity} does not exist.")
        document: Self = cls._from_son(row)
        return document

    @classmethod
    def rows(
        cls,
        query: Mapping[str, Any] | None = None,
        *,
        fields: Sequence[str] | None = None,
        sort: str | None = "_id",
        skip: int = 0,
        limit: int = 0,
    ) -> list[dict[str, Any]]:
        """Return plain rows for lists, with ``id`` for ``_id``; ``sort`` is a field name, ``-`` before it descends."""
        cursor = cls.collection().find(query or {}, dict.fromkeys(fields, 1) if fields else None)
        if sort:
            cursor = cursor.sort(sort.lstrip("-"), -1 if sort.startswith("-") else 1)
        return [_plain(row) for row in cursor.skip(skip).limit(limit)]

    @classmethod
    def take(
        cls, query: Mapping[str, Any], update: Mapping[str, Any], *, sort: str | None = None
    ) -> dict[str, Any] | None:
        """Change one document that matches ``query``, atomically; return its new row, or None if none matched."""
        order = [(sort.lstrip("-"), -1 if sort.startswith("-") else 1)] if sort else None
        row = cls.collection().find_one_and_update(query, update, sort=order, return_document=ReturnDocument.AFTER)
        return None if row is None else _plain(row)

    @classmethod
    def transition(cls, identity: int, *, from_: Collection[str], to: str, **updates: Any) -> Self:
        """Move ``status`` from one of ``from_`` to ``to`` and set ``updates``, in one atomic step.

        :raises NotFoundError: if the document does not exist.
        :raises ConflictError: if its status is another; the message and ``detail["status"]`` name it.
        """
        row = cls.collection().find_one_and_update(
            {"_id": identity, "status": {"$in": list(from_)}},
            {"$set": {"status": to, "update_time": time.time(), **updates}},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            status = cls.get(identity).status
            raise ConflictError(
                f"{cls.kind().capitalize()} {identity} is {status}; this needs {' or '.join(sorted(from_))}.",
                detail={"status": status, "needs": sorted(from_)},
            )
        document: Self = cls._from_son(row)
        return document


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    row["id"] = row.pop("_id")
    return row


def document_classes(base: type[Document] = Document) -> Iterable[type[Document]]:
    """Yield every concrete document class that has been imported."""
    for child in base.__subclasses__():
        if not child._meta.get("abstract"):  # noqa: SLF001 - mongoengine's own place for it
            yield child
        yield from document_classes(child)


def ensure_indexes() -> None:
    """Create the indexes that the imported document classes declare."""
    for document in document_classes():
        document.ensure_indexes()
