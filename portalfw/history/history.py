"""The written side of all spaces in one process: imports what is shipped, follows others, tells of changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import gevent

from portalfw.events import EventBus
from portalfw.history import shipped, topics
from portalfw.history.documents import SpaceHead
from portalfw.history.folderstore import FolderStore
from portalfw.history.gitstore import GitStore
from portalfw.history.names import is_page
from portalfw.wiki.space import Space, space_folders

if TYPE_CHECKING:
    from portalfw.content import Content
    from portalfw.wiki import Wiki

log = logging.getLogger(__name__)

Listener = Callable[[str, Sequence[str]], object]
HEAD = "space_head"
RETRY = 2.0  # seconds
PACK = 3600.0  # seconds between two looks for objects to pack


class HistorySettings(Protocol):
    """What is read of the portal's settings."""

    @property
    def dev(self) -> bool:
        """Whether the content directories are served and edited as they lie."""

    @property
    def state_folder(self) -> Path:
        """Where this process writes."""


class History:
    """Where pages are written, and how the wiki comes to show it."""

    def __init__(self, settings: HistorySettings, content: Content, bus: EventBus, wiki: Wiki) -> None:
        """Bind the parts; nothing is read or written yet."""
        self.wiki = wiki
        self.bus = bus
        self._content = content
        self._settings = settings
        self._listeners: list[Listener] = []
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self.git: GitStore | None = None
        folder = settings.state_folder
        if settings.dev:
            self.store: GitStore | FolderStore = FolderStore(
                space_folders(content.rooms("spaces")), folder / "run" / "merge.git", self._heard
            )
        else:
            self.store = self.git = GitStore(folder / "spaces", self._heard)

    def start(self) -> None:
        """Fetch what others have published, import what is shipped, serve it, and follow the heads from now on."""
        if self.git is None:
            return
        began = time.perf_counter()
        self._greenlets = [gevent.spawn(self._follow, self.git), gevent.spawn(_pack_at_times, self.git)]
        for row in SpaceHead.collection().find({"deleted": None}, {"_id": 1}):
            self.git.fetch(row["_id"])
            self.git.repair(row["_id"])
        shipped.import_all(self.git, self._content.rooms("spaces"))
        self._serve(self.git)
        log.info("%d spaces ready after %.2f s", len(self.git.spaces), time.perf_counter() - began)

    def stop(self) -> None:
        """Follow no longer."""
        gevent.killall(self._greenlets)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with a space and the files that changed, whenever this process begins to serve a change.

        It runs in the greenlet that made the change, so it must be quick and must not fail. Who would rather wait
        subscribes to the topic ``page`` of the event bus.
        """
        self._listeners.append(listener)

    def _heard(self, space: str, changed: Sequence[str]) -> None:
        if self.git is not None and (space in self.git.spaces) != (space in self.wiki.spaces):
            self._serve(self.git)
        served = self.wiki.spaces.get(space)
        if served is None and self.git is None:
            return
        names: list[str] = []  # of a space that was deleted nothing is left
        if served is not None:
            served.forget()
            names = [path for path in changed if not is_page(path) or served.holds(path)]
        topics.publish(self.bus, space, changed, names)
        for listener in self._listeners:
            listener(space, changed)

    def _serve(self, git: GitStore) -> None:
        """Let the wiki read the clones instead of the content directories."""
        rescan = self.wiki.limits.rescan_seconds
        spaces = self.wiki.spaces
        for name in git.spaces:
            folder = git.clone(name).folder
            if name not in spaces or spaces[name].folders != [folder]:
                spaces[name] = Space(name, [folder], rescan=rescan)
        for name in spaces.keys() - set(git.spaces):
            del spaces[name]

    def _follow(self, git: GitStore) -> None:
        late: set[str] = set()  # spaces that could not be fetched yet
        with self.bus.subscribe(HEAD) as heads:
            while True:
                change = heads.get(RETRY if late else None)
                wanted = late | ({str(change.id)} if change is not None else set())
                if heads.overrun:
                    heads.overrun = False
                    wanted |= {row["_id"] for row in SpaceHead.collection().find({}, {"_id": 1})}
                late = {space for space in wanted if not _fetched(git, space)}


def _pack_at_times(git: GitStore) -> None:
    while True:
        gevent.sleep(PACK)
        for space in git.spaces:
            try:
                git.pack(space)
            except Exception:  # the edge: loose objects serve as well
                log.exception("The objects of space %s could not be packed", space)


def _fetched(git: GitStore, space: str) -> bool:
    try:
        git.fetch(space)
    except Exception:  # the edge: whatever it was, it is tried again
        log.exception("Space %s could not be fetched", space)
        return False
    return True
