"""Bring a file to the node: streamed, checked by hash, there wholly or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import requests

from agent.errors import AgentError
from agent.trust import trusted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from agent.jumpscript import Surroundings

CHUNK: Final = 1024 * 1024
TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and without a byte."""


class FetchError(AgentError, OSError):
    """A file could not be brought to the node."""


def fetch(
    surroundings: Surroundings, url: str, sha256: str | None, progress: Callable[[float, str], None] | None = None
) -> Path:
    """Return the fetched file; see :meth:`agent.jumpscript.Context.fetch_file`."""
    surroundings.files.mkdir(parents=True, exist_ok=True)
    target = surroundings.files / (sha256.lower() if sha256 else "url-" + hashlib.sha256(url.encode()).hexdigest())
    if sha256 and target.exists():
        return target
    handle, name = tempfile.mkstemp(dir=surroundings.files, prefix="part-")
    try:
        with os.fdopen(handle, "wb") as file:
            _check(url, _download(surroundings, url, file, progress), sha256)
        os.replace(name, target)  # noqa: PTH105 - the temporary file is known by name only
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - the same
        raise
    return target


def _download(
    surroundings: Surroundings, url: str, file: BinaryIO, progress: Callable[[float, str], None] | None
) -> str:
    address, headers = _address(surroundings, url)
    verify = trusted(surroundings.authority if headers else None)
    digest = hashlib.sha256()
    try:
        with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT, verify=verify) as response:
            response.raise_for_status()
            total = int(response.headers.get("Content-Length", 0))
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                if progress and total:
                    progress(min(100.0, 100 * file.tell() / total), f"fetching {url}")
    except requests.RequestException as error:
        raise FetchError(f"{url} cannot be fetched: {error}") from error
    return digest.hexdigest()


def _check(url: str, found: str, wanted: str | None) -> None:
    if wanted and found != wanted.lower():
        raise FetchError(f"{url} has the sha256 {found}, not {wanted}; correct the hash or the file")


def _address(surroundings: Surroundings, url: str) -> tuple[str, dict[str, str]]:
    if url.startswith("portal:"):
        address = f"{surroundings.controller.rstrip('/')}/agent/files/{quote(url.removeprefix('portal:'))}"
        return address, {"Authorization": f"Bearer {surroundings.credential}"}
    if url.startswith(("http://", "https://")):
        return url, {}
    raise FetchError(f"{url!r} is neither an http(s) address nor portal:<name>")
