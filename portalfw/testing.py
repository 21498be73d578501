"""A real portal over a content directory, for the tests of what lies there. It needs pytest no more than you do.

with running_portal(Path("mine")) as portal:
assert portal.call("library/book/list") == []
assert "Books" in portal.page("/library")
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests

from portalfw.settings import PREFIX, REPOSITORY

TIME: Final = 120.0  # seconds that one request, or one command, may take
COMMAND: Final = (sys.executable, "-P", "-m", "portalfw")  # -P: the folder one is in may hold macros/ of its own
ADMIN: Final = "admin"


@dataclass
class Portal:
    """A running portal. ``user`` says who asks: the administrator, a guest (None), or a user, made when named first."""

    url: str
    state: Path
    _tokens: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, user: str | None = ADMIN) -> requests.Response:
        """GET an address of the portal."""
        return requests.get(f"{self.url}{path}", headers=self._who(user), timeout=TIME)

    def page(self, path: str, *, user: str | None = ADMIN) -> str:
        """Return a page's HTML.

        :raises AssertionError: if it cannot be shown, or if one of its macros fails.
        """
        answer = self.get(path, user=user)
        if answer.status_code != requests.codes.ok:
            raise AssertionError(f"{path} answers {answer.status_code}: {answer.text[:2000]}")
        return _sound(path, answer.text)

    def show(self, text: str, *, user: str | None = ADMIN) -> str:
        """Return the HTML of a page's text that is stored nowhere.

        :raises AssertionError: if it is no page, or if one of its macros fails.
        """
        shown = self.call("system/pages/preview", space="docs", page="Draft", text=text, user=user)
        return _sound(text, str(shown["html"]))

    def call(self, address: str, /, *, user: str | None = ADMIN, **arguments: Any) -> Any:
        """Call a method, ``app/actor/method``, and return its answer.

        :raises AssertionError: with the portal's words if it refuses or fails.
        """
        answer = self.answer(address, user=user, **arguments)
        if answer.status_code != requests.codes.ok:
            raise AssertionError(f"{address} {arguments}: {answer.status_code} {answer.text}")
        return answer.json()

    def answer(self, address: str, /, *, user: str | None = ADMIN, **arguments: Any) -> requests.Response:
        """Call a method and return the HTTP answer, whatever it is."""
        url = f"{self.url}/restmachine/{address}"
        return requests.post(url, json=arguments, headers=self._who(user), timeout=TIME)

    def _who(self, user: str | None) -> dict[str, str]:
        return {} if user is None else {"Authorization": f"Bearer {self._token(user)}"}

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            if user != ADMIN:
                self.call("system/usermanager/create", username=user, password=f"{user}-password", groups=[])
            self._tokens[user] = _output("token", "create", "--user", user, "--state", str(self.state))
        return self._tokens[user]


@contextmanager
def running_portal(*content: Path, hypervisor: str = "test") -> Iterator[Portal]:
    """Run the whole product, with an agent, over the shipped content and ``content``, on a new and empty database.

    :param hypervisor: ``test`` for libvirt's simulated driver, see the setting.
    :raises AssertionError: with what it said, if it does not start.
    """
    state = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    port = _free_port()
    flags = [flag for folder in (REPOSITORY, *content) for flag in ("--content", str(folder))]
    command = [*COMMAND, "up", "--state", str(state), "--port", str(port), "--hypervisor", hypervisor, *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment())
    try:
        _wait_until_ready(process)
        yield Portal(f"http://127.0.0.1:{port}", state)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(TIME)
        shutil.rmtree(state, ignore_errors=True)


def _sound(what: str, html: str) -> str:
    if 'class="macro-error"' in html:
        raise AssertionError(f"A macro fails in {what}: {html.partition('macro-error')[2][:500]}")
    return html


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("Ready: "):
            threading.Thread(target=process.communicate, daemon=True).start()  # what is not read would hold it up
            return
    raise AssertionError(f"The portal does not start: {''.join(said)}")


def _output(*arguments: str) -> str:
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=TIME, env=_environment(), check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Return the environment without settings, which would change what is tested."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        "PYTHONUNBUFFERED": "1",
    }
