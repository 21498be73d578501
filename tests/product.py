"""The product as its users run it: ``portalfw up`` in processes of its own, for tests to talk to over HTTP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

REPOSITORY = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "portalfw"]
START_LIMIT = 120.0  # seconds; the first start with a real guest image takes the longest


@dataclass
class Product:
    """A running product."""

    url: str
    port: int
    state: Path
    process: subprocess.Popen[str]
    token: str = ""
    said: list[str] = field(default_factory=list)
    """The lines that it has printed so far; read all the time, or a full pipe would hold it up."""

    @property
    def password(self) -> str:
        """The first administrator's password."""
        return (self.state / "admin-password").read_text().strip()

    def call(self, address: str, token: str | None = None, **arguments: Any) -> requests.Response:
        """POST a call as the administrator, or as the owner of ``token``."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return requests.post(f"{self.url}/restmachine/{address}", json=arguments, headers=headers, timeout=120)

    def ask(self, address: str, **arguments: Any) -> Any:
        """Call as the administrator and return the answer; any failure fails the test with the server's words."""
        response = self.call(address, **arguments)
        assert response.status_code == 200, f"{address} {arguments}: {response.status_code} {response.text}"
        return response.json()

    def user_token(self, name: str, *groups: str) -> str:
        """Create a user and return a token that speaks for it."""
        self.ask("system/usermanager/create", username=name, password=f"{name}-password", groups=list(groups))
        return create_token(self.state, name)

    def log(self, lines: int = 20) -> str:
        """Return the last lines of each of its logs that are not MongoDB's."""
        tails = [
            f"{path.name}\n" + "".join(path.read_text().splitlines(keepends=True)[-lines:])
            for path in sorted((self.state / "log").glob("*.log"))
            if path.name != "mongod.log"
        ]
        return "\n".join(tails)

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(sign)
        return self.process.wait(60)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a ``portalfw`` command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=120, env=_environment(environment), check=False
    )


def create_token(state: Path, user: str) -> str:
    """Create an API token with the command that users have."""
    done = run("token", "create", "--user", user, "--state", str(state))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def start(state: Path, *flags: str, within: tuple[str, ...] = (), **environment: str) -> Product:
    """Start ``portalfw up``, by the command ``within`` if given, and wait for its line ``Ready``."""
    port = free_port()
    process = subprocess.Popen(
        [*within, *COMMAND, "up", "--state", str(state), "--port", str(port), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(environment),
    )
    product = Product(f"http://127.0.0.1:{port}", port, state, process)
    _wait_until_ready(product)
    return product


@contextmanager
def running(
    *flags: str, state: Path | None = None, within: tuple[str, ...] = (), **environment: str
) -> Iterator[Product]:
    """Run a product with a token for the administrator, on a fresh short-pathed state folder unless one is given."""
    folder = state or Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    product = start(folder, *flags, within=within, **environment)
    try:
        product.token = create_token(folder, "admin")
        yield product
    finally:
        if product.process.poll() is None:
            product.stop()
        if state is None:
            shutil.rmtree(folder)


def wait_for(condition: Any, seconds: float = 30.0, what: str = "the condition") -> Any:
    """Return the first true value of ``condition()``; fail when there is none within ``seconds``."""
    limit = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < limit, f"{what} did not come true within {seconds:.0f} s"
        time.sleep(0.05)


def _wait_until_ready(product: Product) -> None:
    assert product.process.stdout is not None
    for line in product.process.stdout:
        product.said.append(line)
        if line.startswith("Ready: "):
            threading.Thread(target=_listen, args=(product,), daemon=True).start()
            return
    raise AssertionError(f"portalfw up ended with {product.process.wait()}: {''.join(product.said)}")


def _listen(product: Product) -> None:
    for line in product.process.stdout or ():
        product.said.append(line)


def _environment(extra: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTALFW_")}
    # what a test sees must not hang on what the machine's health is just then
    return {**kept, "PYTHONUNBUFFERED": "1", "PORTALFW_NODE_CHECKS": "false", **extra}
