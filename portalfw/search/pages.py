"""Pages in the index: read from their files, off the hub, and looked at again as long as the process lives."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import gevent
import orjson

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError
from portalfw.events import EventBus
from portalfw.offload import offload
from portalfw.search.index import Index
from portalfw.search.plain import plain_text
from portalfw.search.shelf import Entry, Only
from portalfw.search.words import PAGE, fold
from portalfw.wiki.address import page_key
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.params import read_params
from portalfw.wiki.rights import letters_of, read_rights
from portalfw.wiki.source import Source, read_source

if TYPE_CHECKING:
    from portalfw.wiki import Space, Wiki

log = logging.getLogger(__name__)

LOOK: Final = 2.0  # seconds between two looks at the files
SETTLE: Final = 0.05  # seconds in which changes gather
BATCH: Final = 50  # pages read and written at once, so that the hub has its turns


class Stamp(NamedTuple):
    """By which a file is known to be as it was."""

    file: str
    modified: int  # ns
    size: int


class Taken(NamedTuple):
    """What is taken of a page: what its rights hang on, what is found of it, and at which address it shows objects."""

    ref: str
    scope: str
    entry: Entry | None
    shows: Mapping[str, str]


class Pages:
    """Keeps the pages of all spaces in the index, and says which of them a viewer may read."""

    def __init__(self, index: Index, wiki: Wiki) -> None:
        """Bind to the wiki; nothing is read yet."""
        self._index = index
        self._wiki = wiki
        self._stamps: dict[str, Stamp] = {}
        self._scopes: dict[str, str] = {}  # of all pages, also of those that are not found
        self._shows: dict[str, Mapping[str, str]] = {}  # of pages that show objects: their addresses by kind

    def look(self) -> int:
        """Read the pages whose files are new or other than before, forget those that are gone; return how many."""
        files = offload(_survey, dict(self._wiki.spaces))
        gone = self._stamps.keys() - files.keys()
        changed = [(ref, stamp) for ref, stamp in files.items() if self._stamps.get(ref) != stamp]
        for start in range(0, len(changed), BATCH):
            self._take(changed[start : start + BATCH])
            gevent.sleep(0)
        if gone:
            self._forget(gone)
        return len(changed) + len(gone)

    def follow(self, bus: EventBus) -> None:
        """Look for ever: when somebody tells that a page has changed, and every now and then without that."""
        with bus.subscribe(PAGE) as changes:
            while True:
                if changes.get(LOOK) is not None:
                    gevent.sleep(SETTLE)
                    while changes.get(0) is not None:
                        pass
                changes.overrun = False  # to look once is enough for any number of changes
                self.look()

    def readable(self, principal: Principal) -> Only:
        """Return the pages that a viewer may read, by what their rights hang on."""
        return Only("scope", [scope for scope in set(self._scopes.values()) if self._may_read(principal, scope)])

    def showing(self, kind: str) -> list[str]:
        """Return the addresses of the pages that say that they show a kind of object, by space and name."""
        return [self._shows[ref][kind] for ref in sorted(self._shows) if kind in self._shows[ref]]

    def shown(self, principal: Principal, data: Mapping[str, Any]) -> dict[str, str] | None:
        """Return address and space of a page that was found, None if the viewer may not read it as it is now."""
        space = self._wiki.spaces.get(data["space"])
        if space is None or not self.may_read(principal, data["space"], data["name"]):
            return None
        return {"href": f"/{data['space']}/{data['name']}", "space": _title(space)}

    def may_read(self, principal: Principal, space: str, name: str) -> bool:
        """Tell whether a viewer may read a page as it is now; False also if there is none."""
        ref = f"{space.lower()}/{page_key(name)}"
        stamp, scope = self._stamps.get(ref), self._scopes.get(ref)
        try:
            if stamp is not None and scope is not None and _stamp(Path(stamp.file)) == stamp:
                return self._may_read(principal, scope)
            self._wiki.page(principal, space, name)  # takes longer: the page is made ready to be shown
        except (OSError, PortalError, PageSyntaxError):
            return False
        return True

    def _may_read(self, principal: Principal, scope: str) -> bool:
        name, own = orjson.loads(scope)
        space = self._wiki.spaces.get(name)
        try:
            return space is not None and "R" in letters_of(principal, {**space.config.rights, **own})
        except (InvalidError, OSError, StopIteration):
            return False  # the space's own file cannot be read now

    def _take(self, changed: list[tuple[str, Stamp]]) -> None:
        titles = {name: _title(space) for name, space in self._wiki.spaces.items()}
        taken = offload(_read, changed, titles)
        entries = [one.entry for one in taken if one.entry is not None]
        self._index.put(PAGE, entries, {ref for ref, _ in changed} - {entry.ref for entry in entries})
        self._stamps.update(changed)
        for ref, _ in changed:
            self._let_go(ref)
        self._scopes.update((one.ref, one.scope) for one in taken)
        self._shows.update((one.ref, one.shows) for one in taken if one.shows)

    def _forget(self, gone: set[str]) -> None:
        self._index.put(PAGE, (), gone)
        for ref in gone:
            self._stamps.pop(ref)
            self._let_go(ref)

    def _let_go(self, ref: str) -> None:
        self._scopes.pop(ref, None)
        self._shows.pop(ref, None)


def _title(space: Space) -> str:
    try:
        return space.config.title
    except (InvalidError, OSError, StopIteration):
        return space.name


def _survey(spaces: Mapping[str, Space]) -> dict[str, Stamp]:
    """Return the files of all pages by ``space/key``."""
    found = {}
    for name, space in spaces.items():
        for key, file in space.survey().items():
            try:
                found[f"{name}/{key}"] = _stamp(file)
            except OSError:
                continue  # it went away just now
    return found


def _stamp(file: Path) -> Stamp:
    status = file.stat()
    return Stamp(str(file), status.st_mtime_ns, status.st_size)


def _read(changed: list[tuple[str, Stamp]], titles: Mapping[str, str]) -> list[Taken]:
    return list(_entries(changed, titles))


def _entries(changed: list[tuple[str, Stamp]], titles: Mapping[str, str]) -> Iterator[Taken]:
    """Yield what is taken of pages; none that cannot be understood."""
    for ref, stamp in changed:
        space = ref.partition("/")[0]
        try:
            source = read_source(Path(stamp.file).read_text(encoding="utf-8"))
            own = read_rights(source.meta.get("rights"), f"page {ref}")
            scope = orjson.dumps([space, own]).decode()
            entry = _entry(ref, stamp, source, scope, titles.get(space, space))
            yield Taken(ref, scope, entry, _shows(space, Path(stamp.file).stem, source))
        except (OSError, UnicodeDecodeError, PageSyntaxError, InvalidError) as error:
            log.debug("%s is not in the search: %s", stamp.file, error)


def _shows(space: str, name: str, source: Source) -> dict[str, str]:
    """Return the page's address by the kinds of objects that ``shows`` says; the first argument it needs names one."""
    given = source.meta.get("shows")
    kinds = given if isinstance(given, list) else [given] if given else []
    argument = next((param.name for param in read_params(source.meta.get("params"), 1) if param.required), "id")
    return {str(kind): f"/{space}/{name}?{argument}={{id}}" for kind in kinds}


def _entry(ref: str, stamp: Stamp, source: Source, scope: str, space_title: str) -> Entry | None:
    """Return what is kept of a page; None for one that is hidden, or needs to be told by its address what to show."""
    meta = source.meta
    if meta.get("hidden") or any(param.required for param in read_params(meta.get("params"), 1)):
        return None
    space, name = ref.partition("/")[0], Path(stamp.file).stem
    plain = plain_text(source.body)
    given = str(meta.get("title") or "")
    title = given if given and "${" not in given else name
    data = {"space": space, "name": name, "icon": str(meta.get("icon") or "file-earmark-text")}
    also = " ".join((PAGE, space, space_title, *plain.macros))
    keys = (fold(name), page_key(name), *(f"{{{{{macro}" for macro in plain.macros))
    return Entry(ref, title, keys, plain.headings, plain.text, also, data, scope)
