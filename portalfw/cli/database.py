"""The database for commands: that of a running portal, or an embedded one started for the moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.database import Database

from portalfw.settings import Settings
from portalfw.store import Mongod, connect, disconnect, ensure_indexes


@contextmanager
def opened(settings: Settings) -> Iterator[Database[dict[str, Any]]]:
    """Connect to the database of ``settings``, starting the embedded server if it is not running already.

    :raises StartError: if there is no database to be had.
    """
    server = None if settings.mongodb_uri else Mongod(settings.state_folder / "mongod")
    started = server is not None and not server.answers()
    if server is not None and started:
        server.start()
    try:
        database = connect(settings.mongodb_uri or (server.uri if server else ""), settings.mongodb_name)
        ensure_indexes()
        yield database
    finally:
        disconnect()
        if server is not None and started:
            server.stop()
