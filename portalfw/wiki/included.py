"""Files of a content directory that a space shows besides its own: ``include`` in its ``space.yaml``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from portalfw.errors import InvalidError

ATTACHED: Final = ".files"  # where a space keeps what is no page
IMAGES: Final = frozenset((".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"))


def read_include(given: Any, file: Path | str) -> tuple[str, ...]:
    """Read the key ``include``: paths of Markdown files and folders, relative to the content directory.

    :raises InvalidError: if it is anything else, or leads out of the content directory.
    """
    paths = [] if given is None else given
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise InvalidError(f"{file}: include must be a list of files and folders of the content directory")
    wrong = next((path for path in paths if Path(path).is_absolute() or ".." in Path(path).parts), None)
    if wrong is not None:
        raise InvalidError(f"{file}: include may not lead out of the content directory, as {wrong!r} does")
    return tuple(paths)


def included_files(folder: Path, config: str) -> Mapping[str, Path]:
    """Return what a space's folder within a content directory includes, by path in the space.

    Pages have the path that they have in the content directory, so that links between them hold in both places; images
    have it below the folder of attachments. What does not exist is left out: an installation may come without it.
    """
    root = folder.parent.parent
    found: dict[str, Path] = {}
    for file in _files(root, _wanted(folder / config)):
        path = file.relative_to(root).as_posix()
        if file.suffix.lower() in IMAGES:
            found[f"{ATTACHED}/{path}"] = file
        elif file.suffix == ".md":
            found[path] = file
    return found


def _wanted(file: Path) -> Sequence[str]:
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ()  # the space itself says what is wrong with it
    return read_include(given.get("include"), file) if isinstance(given, dict) else ()


def _files(root: Path, wanted: Sequence[str]) -> Iterator[Path]:
    for path in wanted:
        if (root / path).is_file():
            yield root / path
        for place, folders, names in os.walk(root / path):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
            yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))
