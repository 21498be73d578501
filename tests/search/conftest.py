"""A portal with spaces and tenants of its own, whose search the tests ask over HTTP."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
from gevent.pool import Pool
from product import REPOSITORY, free_port

from portalfw.auth import tokens
from portalfw.auth.users import create_user
from portalfw.runtime import Runtime
from portalfw.settings import Settings
from portalfw.store import Mongod, connect, disconnect
from portalfw.web.app import create_app
from portalfw.web.server import Server, listen

sys.path.insert(0, str(Path(__file__).parent.parent / "rest"))  # for its tenants

Found = list[tuple[str, str]]


class House:
    """A portal in this process, without any node."""

    def __init__(self, database: Any, folder: Path) -> None:
        """Start everything but an agent; the index is made when this returns."""
        self.spaces = folder / "content" / "spaces"
        self.write("handbook/space.yaml", "title: Handbook\nrights: {login: R}\n")
        given = {"content": [REPOSITORY, folder / "content"], "dev": True}  # pages are read where they are written
        known = {name: value for name, value in given.items() if name in Settings.model_fields}
        self.settings = Settings(state=folder / "state", port=free_port(), hypervisor="test", **known)
        self.runtime = Runtime(self.settings, database)
        self.runtime.start()
        self.server = Server(listen("127.0.0.1", self.settings.port), create_app(self.runtime))
        self.server.set_spawn(Pool())
        self.server.start()
        self.admin = self.user("admin", "admin")
        wait_for(lambda: self.runtime.search.complete, what="the index is made")

    def stop(self) -> None:
        self.server.stop(timeout=0)
        self.runtime.stop()

    def write(self, name: str, text: str) -> None:
        """Write a file of a space."""
        path = self.spaces / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def user(self, name: str, *groups: str, **limits: Any) -> str:
        """Create a user, if there is none, and return a token that speaks for it."""
        if name not in self.tokens:
            create_user(name, f"{name}-password", groups=list(groups))
        self.tokens.add(name)
        return tokens.create_token(name, uuid.uuid4().hex, scope=tokens.Scope(**limits))

    tokens: set[str] = set()  # noqa: RUF012 - emptied with each house

    def call(self, text: str, token: str | None = None, **arguments: Any) -> requests.Response:
        """Search as the administrator, the owner of ``token``, or with an empty one as a guest."""
        token = self.admin if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.settings.port}/restmachine/system/search/find"
        return requests.get(url, params={"text": text, **arguments}, headers=headers, timeout=20)

    def groups(self, text: str, token: str | None = None, **arguments: Any) -> list[dict[str, Any]]:
        """Search and return the groups."""
        response = self.call(text, token, **arguments)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["groups"]
        return found

    def find(self, text: str, token: str | None = None, **arguments: Any) -> Found:
        """Search and return kinds and titles in their order."""
        groups = self.groups(text, token, **arguments)
        return [(group["kind"], hit["title"]) for group in groups for hit in group["hits"]]

    def until(self, text: str, expected: Found, token: str | None = None, **arguments: Any) -> None:
        """Wait until a search finds just what is expected."""
        wait_for(lambda: self.find(text, token, **arguments) == expected, what=f"{text!r} finds {expected}")


@pytest.fixture(scope="module")
def house(mongod: Mongod) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    database = connect(mongod.uri, f"test-{uuid.uuid4().hex[:12]}")
    House.tokens.clear()
    found = House(database, folder)
    yield found
    found.stop()
    database.client.drop_database(database.name)
    disconnect()
    shutil.rmtree(folder)


def wait_for(condition: Callable[[], Any], seconds: float = 20.0, what: str = "the condition") -> None:
    """Return when ``condition()`` is true; fail when it is not within ``seconds``."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"not within {seconds:.0f} s: {what}"
        gevent.sleep(0.02)
