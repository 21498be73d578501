"""One database for all tests of a process, emptied after each: mongod keeps each dropped one's files open for a minute.

A database of ours is three hundred files. Made anew for each test, they reached the limit of a machine's open files,
at which mongod ends, and most of a short test's time went into making and dropping them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from portalfw.store import Document, connect, disconnect
from portalfw.store.document import document_classes

NAME = "test-shared"

_prepared: dict[str, dict[str, Any]] = {}  # per collection of a document class: its indexes, as the class declares them


@contextmanager
def empty_database(uri: str) -> Iterator[Database[dict[str, Any]]]:
    """Give the database, empty, with the indexes of all imported documents; nobody else may have it meanwhile."""
    disconnect()  # what a greenlet of an earlier test may have opened while its connection was being closed
    found = connect(uri, NAME)
    for document in document_classes():
        _prepare(found, document)
    try:
        yield found
    finally:
        disconnect()
        with MongoClient[dict[str, Any]](uri) as client:  # one of our own: the test may have closed the other
            _empty(client[NAME])


def _prepare(database: Database[dict[str, Any]], document: type[Document]) -> None:
    name = document.collection().name
    if name not in _prepared:
        document.ensure_indexes()
        _prepared[name] = database[name].index_information()


def _empty(database: Database[dict[str, Any]]) -> None:
    """Delete all documents, and all collections that are not as their classes declare them."""
    for name in database.list_collection_names():
        if name.startswith("system."):
            continue
        if name in _prepared and database[name].index_information() == _prepared[name]:
            database[name].delete_many({})
        else:
            database.drop_collection(name)
            _prepared.pop(name, None)
