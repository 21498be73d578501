"""Spaces as the content directories have them, edited in place: for who writes content (setting ``dev``)."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import pygit2
from gevent.lock import RLock

from portalfw.errors import NotFoundError, UnavailableError
from portalfw.history.gitstore import Heard
from portalfw.history.merging import merge_texts
from portalfw.history.shipped import shipped_files
from portalfw.history.views import Author, Changes, Done, MergedText, Store, View
from portalfw.offload import offload

T = TypeVar("T")
REMEMBERED: Final = 500  # texts that editors may have begun from


class FolderView(View):
    """The files of a space as they are now."""

    def __init__(self, folders: Sequence[Path], known: OrderedDict[str, bytes], scratch: Path) -> None:
        """Look into ``folders``, later ones winning."""
        self._known = known
        self._scratch = scratch
        self.files: Mapping[str, Path] = shipped_files(folders)

    def read(self, path: str) -> bytes | None:
        """Return a file's content."""
        file = self.files.get(path)
        return None if file is None else file.read_bytes()

    def paths(self) -> Sequence[str]:
        """Return the paths of all files."""
        return list(self.files)

    def stamps(self) -> Mapping[str, str]:
        """Return when files were changed, and their sizes."""
        status = {path: file.stat() for path, file in self.files.items()}
        return {path: f"{one.st_mtime_ns}-{one.st_size}" for path, one in status.items()}

    def revision_of(self, path: str) -> str:
        """Return a name for what a file holds now, and remember that."""
        data = self.read(path) or b""
        revision = str(pygit2.hash(data))
        self._known[revision] = data
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return revision

    def earlier(self, revision: str, path: str) -> bytes | None:
        """Return what a file held, if that is remembered."""
        return self.read(path) if revision == self.revision_of(path) else self._known.get(revision)

    def merge(self, base: str, mine: str, theirs: str) -> MergedText:
        """Merge two texts."""
        repo = pygit2.init_repository(str(self._scratch), bare=True)
        return merge_texts(repo, base, mine, theirs)


class FolderStore(Store):
    """The spaces of the content directories."""

    keeps_history = False

    def __init__(self, folders: Mapping[str, Sequence[Path]], scratch: Path, heard: Heard) -> None:
        """Edit ``folders`` by name of the space; merge texts in a repository ``scratch``."""
        self._folders = folders
        self._scratch = scratch
        self._heard = heard
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._locks: defaultdict[str, RLock] = defaultdict(RLock)

    @property
    def spaces(self) -> list[str]:
        """The names of all spaces."""
        return sorted(self._folders)

    def look(self, space: str, reader: Callable[[View], T], revision: str | None = None) -> T:
        """Return what ``reader`` finds in a space as it is now."""
        if revision is not None:
            raise UnavailableError(
                "In development mode pages are files of the content directories; what they were is not kept here."
            )
        return offload(lambda: reader(self._view(space)))

    def change(
        self,
        space: str,
        author: Author,  # noqa: ARG002 - files do not say who wrote them
        message: str,  # noqa: ARG002 - nor why
        build: Callable[[View], Changes],
    ) -> Done:
        """Write what ``build`` says."""
        space = space.lower()
        with self._locks[space]:
            changed = offload(self._write, space, build)
            if changed:
                self._heard(space, changed)
            revision = offload(lambda: self._view(space).revision_of(changed[0])) if changed else ""
            return Done(revision, changed)

    def _view(self, space: str) -> FolderView:
        if space.lower() not in self._folders:
            raise NotFoundError(f"There is no space {space[:60]!r}.")
        return FolderView(self._folders[space.lower()], self._known, self._scratch)

    def _write(self, space: str, build: Callable[[View], Changes]) -> list[str]:
        view = self._view(space)
        changes = {path: data for path, data in build(view).items() if view.read(path) != data}
        try:
            for path, data in changes.items():
                target = view.files.get(path) or self._folders[space][-1] / path
                if data is None:
                    target.unlink()
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
        except OSError as error:
            raise UnavailableError(f"{error.filename} cannot be written: {error.strerror}.") from error
        return list(changes)
