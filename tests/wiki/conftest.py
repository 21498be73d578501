"""Fixtures of the wiki's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portalfw.store import Mongod, connect, disconnect
from portalfw.wiki import Wiki
from wiki.pad import DISPATCHERS, Pad, make_wiki


@pytest.fixture(scope="module", autouse=True)
def records(mongod: Mongod) -> Iterator[None]:
    """Give the dispatcher a database for its audit records."""
    database = connect(mongod.uri, "test-wiki")
    yield
    for dispatcher in DISPATCHERS:
        dispatcher.audit.flush()
    database.client.drop_database(database.name)
    disconnect()


@pytest.fixture(scope="session")
def wiki() -> Wiki:
    return make_wiki()


@pytest.fixture
def pad(tmp_path: Path) -> Pad:
    return Pad(tmp_path)
