"""The parts run apart: a master on a database that it is given, and an agent that enters with a token."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from product import COMMAND, free_port, run, wait_for

from portalfw.store import Mongod

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a short-pathed folder, removed afterwards."""
    found = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a ``portalfw`` command beside the test."""
    running = subprocess.Popen([*COMMAND, *arguments], env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


def ready(url: str) -> dict[str, object] | None:
    try:
        answer = requests.get(f"{url}/readyz", timeout=2)
    except requests.RequestException:  # not listening yet, or still at its start
        return None
    found: dict[str, object] = answer.json()
    return found if answer.status_code == 200 else None


def test_agent_enters_a_master_on_a_named_database(mongod: Mongod, folder: Path) -> None:
    """A master serves from the MongoDB that it is told of, and an agent with a join token becomes its node, once."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database = ("--mongodb-uri", mongod.uri)
    with process("master", "--state", str(folder / "m"), "--port", str(port), *database, "--hypervisor", "test"):
        assert wait_for(lambda: ready(url), 60, "the master being ready")["nodes"] == 0
        assert not (folder / "m" / "mongod").exists()
        token = run("node", "token", "--state", str(folder / "m"), *database).stdout.strip()
        nobody = "http://127.0.0.1:1"
        agent = ("agent", "--controller", nobody, "--controller", url, "--join-token", token, "--hypervisor", "test")
        with process(*agent, "--state", str(folder / "a")):
            wait_for(lambda: (ready(url) or {}).get("nodes") == 1, 60, "the agent being connected")
        second = run(*agent, "--state", str(folder / "b"))
        assert second.returncode == 1
        assert "token" in second.stderr


def test_database_that_does_not_answer_is_one_line(folder: Path) -> None:
    """A MongoDB that is not there ends the start with one line that names it, without its password."""
    uri = f"mongodb://user:secret@127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=500"
    done = run("master", "--state", str(folder), "--port", str(free_port()), "--mongodb-uri", uri)
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
