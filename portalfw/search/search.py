"""The search of one process: it makes the index beside the portal's work, keeps it fresh and answers questions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, TypedDict

import gevent

from portalfw import errorconditions
from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, NotFoundError
from portalfw.search.declaration import Searchable
from portalfw.search.find import Finder, Found
from portalfw.search.index import Index
from portalfw.search.objects import Objects
from portalfw.search.pages import Pages
from portalfw.search.words import PAGE

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

RETRY: Final = 5  # seconds


class Deed(TypedDict):
    """Something that the viewer may do from anywhere: the page ``href`` has the button that calls ``method``."""

    label: str
    href: str
    method: str


class Search:
    """Finds pages and objects."""

    def __init__(self, runtime: Runtime, kinds: Sequence[Searchable]) -> None:
        """Bind to the process's parts; nothing is read yet."""
        self._runtime = runtime
        self._kinds = sorted(kinds, key=lambda kind: kind.order)
        indexed = [kind for kind in self._kinds if kind.indexed]
        folder = runtime.settings.state_folder / "search"
        self._index = Index(folder, [*(kind.kind for kind in indexed), PAGE], ranked=PAGE)
        self._objects = Objects(self._index, runtime.bus, indexed)
        self._pages = Pages(self._index, runtime.wiki)
        self._finder = Finder(self._index, self._pages, self._kinds)
        self._greenlets: list[gevent.Greenlet[..., object]] = []
        self._ready: set[str] = set()
        self._began = 0.0

    @property
    def complete(self) -> bool:
        """Whether all that there is can be found."""
        return len(self._ready) == len(("pages", "objects"))

    def start(self) -> None:
        """Make the index; returns at once. What is asked meanwhile finds what is there already."""
        self._began = time.perf_counter()
        self._greenlets = [self._runtime.spawn(self._run)]

    def stop(self) -> None:
        """Follow no more changes, and remove the index."""
        gevent.killall(self._greenlets)
        self._objects.close()
        self._index.close()
        self._greenlets.clear()
        self._ready.clear()

    def find(self, principal: Principal, text: str, kinds: Collection[str] | None = None, limit: int = 8) -> Found:
        """Return what a viewer may find, grouped by kind, the surest first.

        :raises InvalidError: if one of ``kinds`` does not exist.
        """
        unknown = next((kind for kind in kinds or () if kind not in self._finder.names), None)
        if unknown is not None:
            message = f"Nothing of the kind {unknown!r} can be searched; there are {', '.join(self._finder.names)}."
            raise InvalidError(message, detail={"argument": "kinds"})
        if not self._index.is_open:
            return {"groups": [], "milliseconds": 0.0, "complete": False}
        return {**self._finder.find(principal, text, kinds, limit), "complete": self.complete}

    def deeds(self, principal: Principal) -> list[Deed]:
        """Return what the viewer may make from anywhere."""
        found: list[Deed] = []
        for kind in self._kinds:
            if kind.create and self._may_create(principal, *kind.create):
                method, page = kind.create
                title = self._runtime.registry.find(method).title
                found.append({"label": title, "href": page, "method": method})
        return found

    def _may_create(self, principal: Principal, address: str, page: str) -> bool:
        """Tell whether a viewer may call a method that needs no object's rights, and read the page with its button."""
        try:
            method = self._runtime.registry.find(address)
        except NotFoundError:
            return False
        narrow = principal.limited and not self._runtime.policy.explain_scope(principal, address, readonly=False)[0]
        if principal.guest or narrow:
            return False
        groups = [right for right in method.declaration.right.split("|") if right.startswith(("login", "group:"))]
        may = any(self._runtime.policy.explain(principal, right, {})[0] for right in groups)
        return may and self._finder.page_of(principal, page)

    def _run(self) -> None:
        self._index.open()
        self._greenlets += [
            self._runtime.spawn(self._keep, "pages", self._follow_pages),
            self._runtime.spawn(self._keep, "objects", self._follow_objects),
        ]

    def _follow_pages(self) -> None:
        self._pages.look()
        self._built("pages")
        self._pages.follow(self._runtime.bus)

    def _follow_objects(self) -> None:
        self._objects.build()
        self._built("objects")
        self._objects.follow()

    def _built(self, part: str) -> None:
        if part not in self._ready:
            log.info("The search knows the %s after %.1f s", part, time.perf_counter() - self._began)
        self._ready.add(part)

    @staticmethod
    def _keep(part: str, work: Callable[[], None]) -> None:
        """Do work that never ends; where it fails, begin it anew after a while."""
        while True:
            try:
                work()
            except Exception as error:  # the edge: what is found must not stay as it was for ever
                log.exception("The search lost sight of the %s and looks again in %d s", part, RETRY)
                errorconditions.record("background", f"search of {part}", error, f"search-{time.time_ns():x}", wait=0)
                gevent.sleep(RETRY)
