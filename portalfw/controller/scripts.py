"""The JumpScripts of the content directories, by name and by hash."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from portalfw.controller.documents import Script
from portalfw.controller.header import read_header
from portalfw.errors import InvalidError, NotFoundError

log = logging.getLogger(__name__)


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


def check_arguments(script: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    """Refuse arguments that the script's ``action`` does not take; raises InvalidError naming the first."""
    known = {argument["name"]: argument for argument in script["arguments"]}
    unknown = sorted(args.keys() - known.keys())
    if unknown and not script["open_arguments"]:
        raise InvalidError(
            f"Jumpscript {script['name']} has no argument {unknown[0]}.", detail={"argument": unknown[0]}
        )
    for name, argument in known.items():
        if argument["required"] and name not in args:
            raise InvalidError(f"Jumpscript {script['name']} needs the argument {name}.", detail={"argument": name})


def _store(name: str, path: Path) -> bool:
    """Store one file as the current version of a name; False if it is broken."""
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    fields = _fields(data, name)
    if fields["broken"]:
        log.error("Jumpscript %s (%s) is broken: %s", name, path, fields["broken"])
    values = {**fields, "path": str(path), "current": True}
    fixed = {"_id": Script.next_id(), "name": name, "sha256": sha256, "loaded": time.time()}
    known = Script.collection().find_one_and_update({"name": name, "sha256": sha256}, {"$set": values})
    if known is None:
        Script.collection().insert_one({**fixed, **values})
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
