"""The node's own credential: kept by one file, readable by its owner only."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING

from agent.errors import SettingsError
from agent.protocol import Enrolled

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path) -> Enrolled | None:
    """Return the stored credential, or None on a node that has not been enrolled."""
    file = folder / "credential"
    if not file.exists():
        return None
    try:
        return Enrolled.model_validate_json(file.read_bytes())
    except ValueError as error:
        raise SettingsError(f"{file} is damaged; remove it and enroll again with a new join token") from error


def store(folder: Path, enrolled: Enrolled) -> None:
    """Write the credential so that it is there wholly or not at all, mode 0600."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="credential-")
    with os.fdopen(handle, "w") as file:
        json.dump(enrolled.model_dump(), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, folder / "credential")  # noqa: PTH105 - the temporary file is known by name only
