"""The one connection of a process to MongoDB."""

from __future__ import annotations

from typing import Any

import mongoengine
from pymongo.database import Database
from pymongo.errors import PyMongoError

from portalfw.errors import StartError


def connect(uri: str, name: str) -> Database[dict[str, Any]]:
    """Connect mongoengine to database ``name`` at ``uri`` and return that database.

    Writes are acknowledged by a majority and journaled: what a caller was told has happened survives a crash.

    :raises StartError: if no primary answers within 10 s.
    """
    client = mongoengine.connect(
        host=uri, db=name, w="majority", journal=True, serverSelectionTimeoutMS=10_000, uuidRepresentation="standard"
    )
    try:
        hello = client.admin.command("hello")
    except PyMongoError as error:
        mongoengine.disconnect()
        raise StartError(f"MongoDB at {_without_password(uri)} does not answer: {error}.") from error
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        mongoengine.disconnect()
        raise StartError(f"MongoDB at {_without_password(uri)} is not a replica set; change streams need one.")
    database: Database[dict[str, Any]] = client[name]
    return database


def disconnect() -> None:
    """Close the connection."""
    mongoengine.disconnect()


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
