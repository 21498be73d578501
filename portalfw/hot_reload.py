"""Macros and actors that change while their author looks at them (setting ``dev``)."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import gevent

from portalfw.content import Content
from portalfw.errors import StartError
from portalfw.rest import Actor
from portalfw.store import Document
from portalfw.wiki.packages import packaged_macros

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

EVERY: Final = 1.0  # seconds between two looks at the files
TWICE: Final = 2  # since modules import from each other, in any order

Stamps = dict[Path, int]


class HotReload:
    """Looks at the Python files of the content directories and takes those that changed.

    All macros are read anew when one of their files changes. Of actors only a module that declares actors and no
    documents can be: of all others the log says that a restart is needed. What cannot be loaded changes nothing.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Begin with the files as they are; what they declare has just been loaded."""
        self._runtime = runtime
        self._content: Content = runtime.content
        self._macros = self._stamps("macros")
        self._actors = self._stamps("actors")

    def run(self) -> None:
        """Look again and again."""
        while True:
            gevent.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """Take what has changed since the last time."""
        macros, actors = self._stamps("macros"), self._stamps("actors")
        if macros != self._macros:
            self._safely("macros", self._read_macros)
        for path in sorted(path for path, stamp in actors.items() if self._actors.get(path) != stamp):
            self._safely(str(path), self._read_actors, path)
        self._macros, self._actors = macros, actors

    def _read_macros(self) -> None:
        modules: list[ModuleType] = []
        for _ in range(TWICE):
            own = [self._content.reload(folder, path) for folder, path in self._content.files("macros")]
            modules = [*packaged_macros(), *own]
        self._runtime.wiki.macros.replace([*packaged_macros(), *modules])

    def _read_actors(self, path: Path) -> None:
        folder = next(folder for folder in self._content.folders if path.is_relative_to(folder))
        known = self._content.loaded(folder, path)
        if known is not None and _declares(known, Document):
            log.warning("%s declares documents: restart the portal to take its change.", path)
            return
        module = self._content.reload(folder, path)
        for value in _declares(module, Actor):
            self._runtime.registry.add(value)

    def _safely(self, what: str, function: object, *arguments: object) -> None:
        try:
            function(*arguments)  # type: ignore[operator]
        except StartError as error:
            log.error("%s", error.message)  # noqa: TRY400 - the message names file and fault; our own stack says nothing
        else:
            log.info("%s: taken as it is now", what)

    def _stamps(self, room: str) -> Stamps:
        found = {}
        for _, path in self._content.files(room):
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
        return found


def _declares(module: ModuleType, base: type) -> list[type]:
    """Return the classes of a kind that a module itself declares."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
