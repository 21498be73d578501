"""The state folder: one running master a folder, and the first administrator's password."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from portalfw.auth.principal import ADMIN
from portalfw.auth.users import User, create_user
from portalfw.errors import ConflictError, StartError

FOLDERS = ("run", "log", "images", "secrets", "agent")


class StateFolder:
    """The folder of everything that a master writes, locked while it runs."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.path = path
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Make the folder and lock it.

        :raises StartError: if it cannot be written, or another portal runs on it.
        """
        try:
            for name in FOLDERS:
                (self.path / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (self.path / "run" / "lock").open("a+")
        except OSError as error:
            raise StartError(f"The state folder {self.path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "another process"
            raise StartError(
                f"The state folder {self.path} is in use by process {owner}; stop it, or choose another with --state."
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            self._lock.close()

    @property
    def password_file(self) -> Path:
        """Where the first administrator's password lies."""
        return self.path / "admin-password"

    def ensure_administrator(self) -> None:
        """Create the user ``admin`` with a random password, once, and keep the password in a file only we can read."""
        if User.collection().find_one({"name": ADMIN}) is not None:
            return
        password = secrets.token_urlsafe(15)
        self.password_file.unlink(missing_ok=True)
        descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password + "\n")
        try:
            create_user(ADMIN, password, groups=[ADMIN], protected=True)
        except ConflictError:  # another process that starts at the same moment has made it; its password counts
            self.password_file.unlink()
