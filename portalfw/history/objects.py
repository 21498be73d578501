"""Git objects in MongoDB, from where every process of the installation fetches what its clone misses."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from pymongo.errors import BulkWriteError

from portalfw.errors import UnavailableError
from portalfw.history.documents import GitObject

LARGEST = 12 * 2**20  # bytes of one object; MongoDB takes documents of 16 MiB
BATCH = 500
BATCH_BYTES = 8 * 2**20
DUPLICATE = 11000  # MongoDB's code for an id that there is already
COMMIT, TREE, BLOB = 1, 2, 3  # as git numbers them


class Stored(NamedTuple):
    """One git object."""

    id: str
    type: int
    data: bytes


def keep(space: str, objects: Iterable[Stored]) -> None:
    """Store objects; those that are there already stay as they are."""
    for batch in _batches(objects):
        rows = [{"_id": one.id, "space": space, "type": one.type, "data": zlib.compress(one.data)} for one in batch]
        try:
            GitObject.collection().insert_many(rows, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE for one in (error.details or {}).get("writeErrors", [{"code": 0}])):
                raise


def load(ids: Collection[str]) -> list[Stored]:
    """Return the objects with these ids.

    :raises UnavailableError: if one is missing.
    """
    found: list[Stored] = []
    wanted = sorted(ids)
    for start in range(0, len(wanted), BATCH):
        found += map(_stored, GitObject.collection().find({"_id": {"$in": wanted[start : start + BATCH]}}))
    if len(found) != len(wanted):
        missing = next(iter(set(wanted) - {one.id for one in found}))
        raise UnavailableError(f"The git object {missing} is missing in the database.")
    return found


def load_all(space: str) -> Iterator[list[Stored]]:
    """Yield all objects that a space was the first to have, some at a time."""
    cursor = map(_stored, GitObject.collection().find({"space": space}, batch_size=BATCH))
    yield from iter(lambda: list(islice(cursor, BATCH)), [])


def references(one: Stored) -> list[str]:
    """Return the ids of the objects that an object is made of: a commit's tree and parents, a tree's entries."""
    if one.type == COMMIT:
        header = one.data.partition(b"\n\n")[0].decode("utf-8", "replace")
        return [line.split()[1] for line in header.splitlines() if line.startswith(("tree ", "parent "))]
    return list(_entries(one.data)) if one.type == TREE else []


def _entries(data: bytes) -> Iterator[str]:
    """Yield the ids in a tree, whose entries are mode, blank, name, NUL and 20 bytes of SHA-1."""
    position = 0
    while position < len(data):
        end = data.index(b"\0", position) + 1
        yield data[end : end + 20].hex()
        position = end + 20


def _batches(objects: Iterable[Stored]) -> Iterator[Sequence[Stored]]:
    batch: list[Stored] = []
    size = 0
    for one in objects:
        batch.append(one)
        size += len(one.data)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _stored(row: dict[str, object]) -> Stored:
    return Stored(str(row["_id"]), int(str(row["type"])), zlib.decompress(bytes(row["data"])))  # type: ignore[call-overload]  # pymongo gives bytes
