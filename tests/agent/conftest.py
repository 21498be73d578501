"""A grid of one controller and one agent, shared by the tests of a module that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import empty_database
from grid import Grid

from portalfw.store import Mongod


@pytest.fixture
def grid(database: Any, tmp_path: Path) -> Iterator[Grid]:
    """Give a grid of its own, without an agent."""
    found = Grid(database, tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def shared(mongod: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """Give one grid for all tests of a module."""
    with empty_database(mongod.uri) as database:
        found = Grid(database, tmp_path_factory.mktemp("grid"))
        yield found
        found.close()


@pytest.fixture(scope="module")
def node(shared: Grid) -> Any:
    """Give the shared grid's one node."""
    return shared.connect()
