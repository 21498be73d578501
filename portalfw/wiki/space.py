"""Spaces: folders of pages with a ``space.yaml``, found in the content directories and followed as files change."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar, cast, get_args

import yaml

from portalfw.errors import InvalidError, NotFoundError
from portalfw.wiki.address import page_key
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.included import included_files, read_include
from portalfw.wiki.nav import NavSection, read_nav
from portalfw.wiki.page import Page, read_page
from portalfw.wiki.rights import Rights, read_rights
from portalfw.wiki.source import read_source

log = logging.getLogger(__name__)
T = TypeVar("T")

HOME = "Home"
NAV = "nav"
CONFIG = "space.yaml"
TEMPLATES = "templates"  # the folder of pages that new ones begin as: no list has them


#: Written: as nav.md says, or all pages without one. Pages: all pages. None: nothing beside the pages.
Navigation = Literal["written", "pages", "none"]
NAVIGATIONS: Final = get_args(Navigation)


@dataclass(frozen=True)
class SpaceConfig:
    """What ``space.yaml`` says."""

    title: str
    icon: str | None
    order: float
    rights: Rights
    hidden: bool
    include: tuple[str, ...] = ()  # files and folders of the content directory that it shows besides its own
    toc: bool = False  # whether texts of several chapters begin with their contents
    navigation: Navigation = "written"
    needed: str = ""  # why what is shipped cannot be deleted, if so


class Space:
    """One space. The same space may lie in several content directories; a later one's files win."""

    def __init__(self, name: str, folders: Sequence[Path], *, rescan: float, shipped: bool = False) -> None:
        """Look into ``folders``, a list of files at most ``rescan`` seconds old.

        :param shipped: the folders lie in content directories, where what they include lies too.
        """
        self.name = name
        self._folders = folders
        self._rescan = rescan
        self._shipped = shipped
        self._scanned = -1.0
        self._files: dict[str, Path] = {}
        self._pages = _Kept[Page]()
        self._names = _Kept[tuple[str, ...]]()
        self._navs = _Kept[tuple[NavSection, ...]]()
        self._configs = _Kept[SpaceConfig]()

    @property
    def config(self) -> SpaceConfig:
        """What ``space.yaml`` says now.

        :raises InvalidError: if it is not YAML or holds an unknown key.
        """
        file = next(folder / CONFIG for folder in reversed(self._folders) if (folder / CONFIG).is_file())
        return self._configs.read(file, lambda _: _read_config(self.name, file))

    @property
    def nav(self) -> tuple[NavSection, ...]:
        """What ``nav.md`` says now; empty without one."""
        file = self._list().get(NAV)
        return self._navs.read(file, lambda _: read_nav(file.read_text(encoding="utf-8"))) if file else ()

    def page(self, name: str) -> Page:
        """Return a page by name, in any letter case, with underscores or blanks.

        :raises NotFoundError: if there is none.
        :raises PageSyntaxError: if its text cannot be understood.
        """
        file = self._list().get(page_key(name))
        if file is None or page_key(name) == NAV:
            raise NotFoundError(f"There is no page {name!r} in the space {self.config.title}.")
        try:
            return self._pages.read(file, lambda modified: self._read(file, modified))
        except FileNotFoundError:
            self._scanned = -1.0
            raise NotFoundError(f"The page {name!r} was deleted.") from None

    def find(self, name: str) -> Page:
        """Return a page by its name, or by one of its ``aliases`` where no page has the name.

        :raises NotFoundError: if there is none.
        :raises PageSyntaxError: if its text cannot be understood.
        """
        try:
            return self.page(name)
        except NotFoundError:
            wanted = self._aliases().get(page_key(name))
            if wanted is None:
                raise
            return self.page(wanted)

    def file(self, name: str) -> Path | None:
        """Return the file of a page."""
        return self._list().get(page_key(name))

    @property
    def folders(self) -> Sequence[Path]:
        """The folders of the space, later ones winning."""
        return self._folders

    def holds(self, path: str) -> bool:
        """Tell whether there is a file of this path, relative to the space."""
        return any((folder / path).is_file() or path in self._included(folder) for folder in self._folders)

    def forget(self) -> None:
        """Look for files anew at the next question: some were changed just now."""
        self._scanned = -1.0

    def survey(self) -> dict[str, Path]:
        """Walk the folders and return the pages' files by key, but for templates; it touches nothing: a thread may."""
        found: dict[str, Path] = {}
        for folder in self._folders:
            found.update(self._files_of(folder))
        found.pop(NAV, None)
        return {key: file for key, file in found.items() if not is_template(self._path(file))}

    def pages(self) -> Iterator[Page]:
        """Iterate over the pages that can be understood, by name; over no templates."""
        for key, file in sorted(self._list().items()):
            if key != NAV and not is_template(self._path(file)):
                try:
                    yield self.page(key)
                except (PageSyntaxError, NotFoundError, InvalidError) as error:
                    log.warning("Space %s, page %s: %s", self.name, key, error)

    def _aliases(self) -> dict[str, str]:
        """Return the pages' keys by the keys of their other names."""
        found: dict[str, str] = {}
        for key, file in sorted(self._list().items()):
            for name in self._names.read(file, partial(_read_aliases, file)):
                found.setdefault(page_key(name), key)
        return found

    def _list(self) -> Mapping[str, Path]:
        if time.monotonic() - self._scanned >= self._rescan or self._scanned < 0:
            self._files = {}
            for folder in self._folders:
                self._files.update(self._files_of(folder))
            self._scanned = time.monotonic()
        return self._files

    def _files_of(self, folder: Path) -> dict[str, Path]:
        included = {page_key(Path(path).stem): file for path, file in self._included(folder).items()}
        return {key: file for key, file in included.items() if file.suffix == ".md"} | _files(folder)

    def _included(self, folder: Path) -> Mapping[str, Path]:
        return included_files(folder, CONFIG) if self._shipped else {}

    def _read(self, file: Path, modified: float) -> Page:
        place = Path(self._path(file)).parent.as_posix()
        return read_page(self.name, file.stem, file, modified, place=place, toc=self.config.toc)

    def _path(self, file: Path) -> str:
        """Return where a file lies within the space, or seems to lie if it is included."""
        own = next((folder for folder in self._folders if file.is_relative_to(folder)), None)
        if own is not None:
            return file.relative_to(own).as_posix()
        return next((path for one in self._folders for path, kept in self._included(one).items() if kept == file), "")


class _Kept(Generic[T]):
    """What was read from files, read again when a file changes."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[int, int], T]] = {}

    def read(self, file: Path, reader: Callable[[float], T]) -> T:
        status = file.stat()
        stamp = status.st_mtime_ns, status.st_size
        kept = self._kept.get(file)
        if kept is None or kept[0] != stamp:
            kept = self._kept[file] = (stamp, reader(status.st_mtime))
        return kept[1]


def is_template(path: str) -> bool:
    """Tell whether a file of a space is a page that others may begin as."""
    return path.startswith(f"{TEMPLATES}/") and path.endswith(".md")


def _files(folder: Path) -> dict[str, Path]:
    """Return the Markdown files below ``folder`` by page key; of two of one name the one nearer to the top."""
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder):  # from the top down
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".md") and not name.startswith("."):
                found.setdefault(page_key(name[:-3]), Path(place, name))
    return found


def _read_aliases(file: Path, _modified: float) -> tuple[str, ...]:
    """Return the other names that a page gives itself; none if it cannot be understood."""
    head = file.read_text(encoding="utf-8", errors="replace")
    if "aliases" not in head:
        return ()
    try:
        given = read_source(head).meta.get("aliases")
    except PageSyntaxError:
        return ()
    return tuple(str(name) for name in (given if isinstance(given, list) else [given] if given else []))


def _read_config(name: str, file: Path) -> SpaceConfig:
    try:
        return read_config(name, file.read_text(encoding="utf-8"), file)
    except UnicodeDecodeError as error:
        raise InvalidError(f"{file} is not YAML: {error}") from error


def read_config(name: str, text: str, file: Path | str) -> SpaceConfig:
    """Read the text of a ``space.yaml``.

    :raises InvalidError: if it is not YAML or holds an unknown key, naming ``file``.
    """
    try:
        given: Any = yaml.safe_load(text) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidError(f"{file} is not YAML: {error}") from error
    known = {"title", "icon", "order", "rights", "hidden", "include", "toc", "navigation", "needed"}
    if not isinstance(given, dict) or not set(given) <= known:
        raise InvalidError(f"{file} may hold {', '.join(sorted(known))}, nothing else")
    return SpaceConfig(
        title=str(given.get("title") or name),
        icon=given.get("icon"),
        order=_order(given.get("order", 1000), file),
        rights=read_rights(given.get("rights"), f"space {name}"),
        hidden=bool(given.get("hidden")),
        include=read_include(given.get("include"), file),
        toc=bool(given.get("toc")),
        navigation=_navigation(given.get("navigation", "written"), file),
        needed=str(given.get("needed") or ""),
    )


def _navigation(given: object, file: Path | str) -> Navigation:
    if given not in NAVIGATIONS:
        raise InvalidError(f"{file}: navigation must be {', '.join(NAVIGATIONS)}, not {str(given)[:60]!r}")
    return cast(Navigation, given)


def _order(given: object, file: Path | str) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise InvalidError(f"{file}: order must be a number, not {str(given)[:60]!r}")
    return float(given)


def space_folders(rooms: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the folders of each space in ``rooms``, by lower-case name, in their order."""
    folders: dict[str, list[Path]] = {}
    for room in rooms:
        for folder in sorted(room.iterdir()):
            if folder.is_dir() and not folder.name.startswith((".", "_")):
                folders.setdefault(folder.name.lower(), []).append(folder)
    return folders


def find_spaces(rooms: Sequence[Path], *, rescan: float) -> dict[str, Space]:
    """Return the spaces in the folders ``rooms`` by lower-case name."""
    spaces = {}
    for name, places in space_folders(rooms).items():
        if any((place / CONFIG).is_file() for place in places):
            spaces[name] = Space(name, places, rescan=rescan, shipped=True)
    return spaces
