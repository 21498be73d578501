"""JumpScripts by hash: fetched from the controller once, kept in a folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from agent import whole_file
from agent.errors import AwayError

if TYPE_CHECKING:
    from pathlib import Path

    from agent.client import Client


class ScriptCache:
    """The scripts that this node has had to run so far."""

    def __init__(self, folder: Path, client: Client) -> None:
        """Use a folder; it is made if it is missing."""
        self._folder = folder
        self._client = client
        folder.mkdir(mode=0o700, exist_ok=True)

    def fetch(self, sha256: str) -> Path:
        """Return the file of a script, fetched if it is not here yet.

        Raises:
            AwayError: what came does not have this hash, or no controller is there.
            RejectedError: the controller has no such script.

        """
        file = self._folder / f"{sha256}.py"
        if not file.exists():
            self._store(file, sha256, self._client.read(f"scripts/{sha256}"))
        return file

    def _store(self, file: Path, sha256: str, source: bytes) -> None:
        if hashlib.sha256(source).hexdigest() != sha256:
            raise AwayError(f"script {sha256} came damaged from the controller ({len(source)} bytes)")
        whole_file.write(file, source)
