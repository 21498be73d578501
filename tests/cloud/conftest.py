"""A portal in this process for the tests of a module, which make what they need under names of their own."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from portal import Portal

from portalfw.store import Mongod, connect, disconnect


@pytest.fixture(scope="module")
def portal(mongod: Mongod) -> Iterator[Portal]:
    """Run a whole portal with a real agent on libvirt's simulated driver."""
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    database = connect(mongod.uri, f"test-{uuid.uuid4().hex[:12]}")
    found = Portal(database, folder)
    try:
        yield found
    finally:
        found.stop()
        database.client.drop_database(database.name)
        disconnect()
        shutil.rmtree(folder)
