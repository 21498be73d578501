"""The node's own credential: kept by one file, readable by its owner only."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

from agent import whole_file
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
    whole_file.write(folder / "credential", json.dumps(enrolled.model_dump()).encode(), durable=True)
    (folder / "proposed").unlink(missing_ok=True)


def proposed(folder: Path, token: str) -> str:
    """Return the credential to ask for with a join token: the same one each time, also after a restart.

    So the controller knows who asks again because the answer was lost on its way.
    """
    file, mark = folder / "proposed", hashlib.sha256(token.encode()).hexdigest()
    kept = file.read_text(encoding="ascii").split() if file.exists() else []
    if len(kept) == len(("mark", "credential")) and kept[0] == mark:
        return kept[1]
    fresh = f"node_{secrets.token_urlsafe(32)}"
    whole_file.write(file, f"{mark} {fresh}".encode(), durable=True)
    return fresh
