"""Git objects in MongoDB, from where every process of the installation fetches what its clone misses."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

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
    """Store objects. Those that are there already become the space's: who purges another one must leave them."""
    for batch in _batches(objects):
        rows = [{"_id": one.id, "space": space, "type": one.type, "data": zlib.compress(one.data)} for one in batch]
        while rows:  # again for those that somebody purged between the two steps
            there = _there_already(rows)
            if not there:
                break
            GitObject.collection().update_many({"_id": {"$in": there}}, {"$set": {"space": space}})
            kept = {row["_id"] for row in GitObject.collection().find({"_id": {"$in": there}}, {"_id": 1})}
            rows = [row for row in rows if row["_id"] in set(there) - kept]


def _there_already(rows: list[dict[str, Any]]) -> list[str]:
    """Insert rows; return the ids of those that could not be since they are there."""
    try:
        GitObject.collection().insert_many(rows, ordered=False)
    except BulkWriteError as error:
        failed = (error.details or {}).get("writeErrors", [{"code": 0}])
        if any(one["code"] != DUPLICATE for one in failed):
            raise
        return [one["op"]["_id"] for one in failed]
    return []


def hand_over(space: str, to: str, held: Callable[[Collection[str]], Collection[str]]) -> None:
    """Make objects of a space another's that holds them too; ``held`` tells which of some it holds."""
    for batch in _ids(space):
        query = {"_id": {"$in": list(held(batch))}, "space": space}
        GitObject.collection().update_many(query, {"$set": {"space": to}})


def forget(space: str) -> None:
    """Delete all objects of a space."""
    GitObject.collection().delete_many({"space": space})


def reachable(tips: Collection[str]) -> set[str]:
    """Return the ids of all objects that some are made of, themselves too."""
    found: set[str] = set()
    wanted = set(tips)
    while wanted:
        found |= wanted
        wanted = {name for one in load(wanted) if one.type != BLOB for name in references(one)} - found
    return found


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


def _ids(space: str) -> Iterator[list[str]]:
    cursor = GitObject.collection().find({"space": space}, {"_id": 1}, batch_size=BATCH)
    found = (str(row["_id"]) for row in cursor)
    yield from iter(lambda: list(islice(found, BATCH)), [])


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
