"""What the content directories ship, as branch ``shipped``, merged into ``main`` when it has changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pygit2

from portalfw.errors import ConflictError
from portalfw.history.clone import SHIPPED, Clone, Prepared, branch, changed_tree, make_commit, new_objects
from portalfw.history.gitstore import GitStore
from portalfw.history.merging import merge_trees
from portalfw.history.names import CONFIG, FILES
from portalfw.history.views import Author
from portalfw.wiki.included import included_files
from portalfw.wiki.space import space_folders

log = logging.getLogger(__name__)
SHIPPER = Author("portalfw", "portalfw@portal")


def import_all(store: GitStore, rooms: Sequence[Path]) -> None:
    """Bring every space of the content directories up to date."""
    for space, folders in space_folders(rooms).items():
        files = shipped_files(folders)
        if CONFIG not in files or store.is_deleted(space):
            continue
        if space not in store.spaces:
            try:
                store.create(space, lambda clone, files=files: _first(clone, files))  # type: ignore[misc]  # a default binds it
            except ConflictError:  # another process was faster with the same
                store.fetch(space)
        store.commit(space, lambda clone, head, files=files: _later(clone, head, files))  # type: ignore[misc]


def shipped_files(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the files of a space by path; of a later folder where several have one."""
    found: dict[str, Path] = {}
    for folder in folders:
        found.update(included_files(folder, CONFIG))
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(name for name in inner if name == FILES or not name.startswith((".", "__")))
            kept = (Path(place, name) for name in sorted(names) if not name.startswith("."))
            found.update((path.relative_to(folder).as_posix(), path) for path in kept)
    return found


def _first(clone: Clone, files: Mapping[str, Path]) -> Prepared:
    repo = clone.open()
    tree = changed_tree(repo, None, {path: file.read_bytes() for path, file in files.items()})
    made = make_commit(repo, SHIPPER, "What is shipped", tree, [])
    times = {path: file.stat().st_mtime for path, file in files.items()}
    return Prepared(made, list(new_objects(repo, [made], [])), shipped=made, times=times)


def _later(clone: Clone, head: str, files: Mapping[str, Path]) -> Prepared | None:
    repo = clone.open()
    before = branch(repo, SHIPPED)
    tree = changed_tree(repo, None, {path: file.read_bytes() for path, file in files.items()})
    if before is not None and str(repo[before].peel(pygit2.Tree).id) == tree:
        return None
    made = make_commit(repo, SHIPPER, "What is shipped now", tree, [before] if before else [])
    times = {path: file.stat().st_mtime for path, file in files.items()}
    if before == head:  # nobody has edited anything
        return Prepared(made, list(new_objects(repo, [made], [head])), shipped=made, times=times)
    merged = merge_trees(repo, head, made)
    main = make_commit(repo, SHIPPER, "Merge what is shipped now", merged.id, [head, made])
    known = [head, *([before] if before else [])]
    return Prepared(main, list(new_objects(repo, [main], known)), shipped=made, clashes=merged.clashes)
