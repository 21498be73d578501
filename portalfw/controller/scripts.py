"""The JumpScripts of the content directories, by name and by hash."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from portalfw.controller.documents import Script
from portalfw.controller.header import read_header
from portalfw.errors import InvalidError, NotFoundError

log = logging.getLogger(__name__)

TEXTS: Final = "text"
"""Category of scripts that were given as a text for one job."""

TEXT_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
LONGEST_TEXT: Final = 256 * 1024


class ScriptStore:
    """Loads JumpScripts into the database, and gives them to jobs and agents. Later directories win by name."""

    def __init__(self, content_dirs: Sequence[Path]) -> None:
        """Take the content directories, each with a folder ``jumpscripts/<category>/<name>.py`` or without one."""
        self._folders = [folder / "jumpscripts" for folder in content_dirs]

    def load(self) -> list[str]:
        """Store every script that is new or changed, and return the names of the broken ones.

        A broken script is stored as such and logged; it never stops anything.
        """
        files = self._files()
        broken = [name for name, path in files.items() if not _store(name, path)]
        Script.collection().update_many({"name": {"$nin": list(files)}, "current": True}, {"$set": {"current": False}})
        return broken

    def current(self, name: str) -> dict[str, Any]:
        """Return the row of the script that a new job of this name runs.

        Raises:
            NotFoundError: there is no such script.
            InvalidError: it is broken; the message says how.

        """
        rows = Script.rows({"name": name, "current": True}, limit=1)
        if not rows:
            raise NotFoundError(f"Jumpscript {name} does not exist.")
        if rows[0].get("broken"):
            raise InvalidError(f"Jumpscript {name} is broken: {rows[0]['broken']}.")
        return rows[0]

    def add_text(self, name: str, source: str) -> dict[str, Any]:
        """Store a script that somebody wants to try, and return its row; no list shows it, and no job finds it by name.

        Args:
            name: what its jobs are called, below ``text/``.
            source: its whole text.

        Raises:
            InvalidError: the name is no name, the text is too long or cannot be run; the message says how.

        """
        if not TEXT_NAME.fullmatch(name):
            raise InvalidError("name: letters, digits, - . and _ only.", detail={"argument": "name"})
        if len(source) > LONGEST_TEXT:
            raise InvalidError(f"source: up to {LONGEST_TEXT} characters.", detail={"argument": "source"})
        data = source.encode()
        fields = _fields(data, name)
        if fields["broken"]:
            raise InvalidError(f"The script cannot be run: {fields['broken']}.", detail={"argument": "source"})
        sha256 = hashlib.sha256(data).hexdigest()
        values = {**fields, "current": False, "text": True, "loaded": time.time()}
        wanted = {"name": f"{TEXTS}/{name}", "sha256": sha256}
        Script.collection().update_one(wanted, {"$set": values, "$setOnInsert": {"_id": Script.next_id()}}, upsert=True)
        return Script.rows(wanted, limit=1)[0]

    def source(self, sha256: str) -> str:
        """Return the text of a script by hash, also of an old version; raises NotFoundError."""
        rows = Script.rows({"sha256": sha256}, fields=["source"], limit=1)
        if not rows:
            raise NotFoundError(f"There is no jumpscript with the sha256 {sha256}.")
        return str(rows[0]["source"])

    def _files(self) -> dict[str, Path]:
        """Return the winning file of each name; parts that begin with an underscore or a dot are left out."""
        found: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted(folder.glob("*/*.py")):
                if not path.name.startswith(("_", ".")) and not path.parent.name.startswith(("_", ".")):
                    found[f"{path.parent.name}/{path.stem}"] = path
        return found


def _store(name: str, path: Path) -> bool:
    """Store one file as the current version of a name; False if it is broken."""
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    fields = _fields(data, name)
    if fields["broken"]:
        log.error("Jumpscript %s (%s) is broken: %s", name, path, fields["broken"])
    values = {**fields, "path": str(path), "current": True}
    wanted = {"name": name, "sha256": sha256}
    if not Script.collection().update_one(wanted, {"$set": values}).matched_count:
        # Of processes that start at the same moment one inserts it, the others find it then.
        first = {"_id": Script.next_id(), "loaded": time.time()}
        Script.collection().update_one(wanted, {"$set": values, "$setOnInsert": first}, upsert=True)
    Script.collection().update_many(
        {"name": name, "sha256": {"$ne": sha256}, "current": True}, {"$set": {"current": False}}
    )
    return not fields["broken"]


def _fields(data: bytes, name: str) -> dict[str, Any]:
    try:
        source = data.decode()
        header = read_header(source, name.partition("/")[2])
    except UnicodeDecodeError as error:
        return {
            "source": data.decode(errors="replace"),
            "broken": f"it is not UTF-8: {error}",
            "header": {},
            "arguments": [],
        }
    except InvalidError as error:
        return {"source": source, "broken": error.message, "header": {}, "arguments": []}
    return {
        "source": source,
        "broken": "",
        "header": header.to_row(),
        "arguments": [asdict(argument) for argument in header.arguments],
        "open_arguments": header.open_arguments,
    }
