"""Every way in which a content directory extends the framework.

* A page: a Markdown file in ``spaces/<space>/``.
* A macro: a function with :func:`portalfw.wiki.macro` in ``macros/*.py``.
* An actor: a class derived from :class:`portalfw.rest.Actor` in ``actors/<app>/*.py``.
* A JumpScript: a file with a header and ``action()`` in ``jumpscripts/<category>/*.py``.
* A duty: a function with :func:`duty`, run again and again in one process of the installation.
* A first start: a function with :func:`first_start`, run at every start, that makes what a new installation needs.
* A health check: a function with :func:`health_check`, which looks at something and tells what it found.
* A judge: a function with :func:`node_judge`, which judges what a health check on nodes told.
* A right source: a function with :func:`right_source`, which tells the letters that a principal has on a resource.
* An audience: a function with :func:`audience`, which tells who may hear that a document has changed.
* A kind of object that people can search: a function with :func:`searchable`, which tells who may find which of them.
* A loss: a function with :func:`name_lost`, which takes back what a deleted user or group was given by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from portalfw.audience import Audience
from portalfw.auth.policy import RightSource
from portalfw.health.findings import CheckFunction, HealthCheck, Judge
from portalfw.search.declaration import Rights, Searchable, searchable_of
from portalfw.store import Document

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

RuntimeFunction = Callable[["Runtime"], object]
NameFunction = Callable[[Literal["user", "group"], str], None]
_MARK = "__portalfw_extension__"


@dataclass(frozen=True)
class Duty:
    """A function that the platform calls every ``every`` seconds, in one process at a time."""

    name: str
    every: float
    function: RuntimeFunction


@dataclass(frozen=True)
class _Mark:
    kind: str
    value: Any


def duty(*, every: float) -> Callable[[RuntimeFunction], RuntimeFunction]:
    """Call the function every ``every`` seconds in one process of the installation, under a lease."""

    def mark(function: RuntimeFunction) -> RuntimeFunction:
        setattr(function, _MARK, _Mark("duty", every))
        return function

    return mark


def health_check(category: str, *, every: float) -> Callable[[CheckFunction], CheckFunction]:
    """Let the function look at something every ``every`` seconds and yield what it found, in one process at a time.

    Its docstring's first line says what it looks at; ``category`` is the heading under which people see it.
    """

    def mark(function: CheckFunction) -> CheckFunction:
        setattr(function, _MARK, _Mark("health_check", (category, every)))
        return function

    return mark


def node_judge(check: str) -> Callable[[Judge], Judge]:
    """Let the function judge what the health check ``check`` told on a node, where a node alone cannot.

    It gets the node's id and what the JumpScript returned, and returns findings as a JumpScript does.
    """

    def mark(function: Judge) -> Judge:
        setattr(function, _MARK, _Mark("node_judge", check))
        return function

    return mark


def first_start(function: RuntimeFunction) -> RuntimeFunction:
    """Call the function at each start before the portal is ready; it makes what is missing and leaves the rest."""
    setattr(function, _MARK, _Mark("first_start", None))
    return function


def right_source(resource: str) -> Callable[[RightSource], RightSource]:
    """Let the function tell the letters that a principal has on ``resource`` for a call with given arguments."""

    def mark(function: RightSource) -> RightSource:
        setattr(function, _MARK, _Mark("right_source", resource))
        return function

    return mark


def audience(collection: str) -> Callable[[Audience], Audience]:
    """Let the function tell who may hear that a document of ``collection`` has changed: who may read it.

    It gets the document and returns a function from a principal to yes or no; :func:`portalfw.audience.readers` makes
    one of names. Without an audience only operators hear of a collection's changes.
    """

    def mark(function: Audience) -> Audience:
        setattr(function, _MARK, _Mark("audience", collection))
        return function

    return mark


def searchable(
    kind: str, document: type[Document], *, plural: str, apps: tuple[str, ...], pages: tuple[str, ...], **more: Any
) -> Callable[[Rights], Rights]:
    """Let people find the objects of a collection; :class:`portalfw.search.Searchable` says what ``more`` there is.

    The function gets the viewer and returns the MongoDB condition on the objects that he may read: ``{}`` for all,
    None for none. It is asked at every search, never for guests.
    """
    given = {"kind": kind, "document": document, "plural": plural, "apps": apps, "pages": pages, **more}

    def mark(function: Rights) -> Rights:
        setattr(function, _MARK, _Mark("searchable", given))
        return function

    return mark


def name_lost(function: NameFunction) -> NameFunction:
    """Call the function with ``user`` or ``group`` and the name after one was deleted.

    Rights are kept by name; without this, who is created under the same name later would find them.
    """
    setattr(function, _MARK, _Mark("name_lost", None))
    return function


@dataclass(frozen=True)
class Extensions:
    """What one module extends."""

    duties: list[Duty]
    first_starts: list[RuntimeFunction]
    right_sources: list[tuple[str, RightSource]]
    name_losses: list[NameFunction]
    health_checks: list[HealthCheck]
    node_judges: list[tuple[str, Judge]]
    searchables: list[Searchable]
    audiences: list[tuple[str, Audience]]


def extensions_of(module: ModuleType) -> Extensions:
    """Collect the marked functions that a module itself defines."""
    found = Extensions([], [], [], [], [], [], [], [])
    for function in vars(module).values():
        mark = getattr(function, _MARK, None)
        if not isinstance(mark, _Mark) or function.__module__ != module.__name__:
            continue
        if mark.kind == "duty":
            found.duties.append(Duty(f"{module.__name__}.{function.__name__}", mark.value, function))
        elif mark.kind == "health_check":
            category, every = mark.value
            found.health_checks.append(HealthCheck(function.__name__, category, every, function))
        elif mark.kind == "node_judge":
            found.node_judges.append((mark.value, function))
        elif mark.kind == "first_start":
            found.first_starts.append(function)
        elif mark.kind == "name_lost":
            found.name_losses.append(function)
        elif mark.kind == "searchable":
            found.searchables.append(searchable_of(function, mark.value))
        elif mark.kind == "audience":
            found.audiences.append((mark.value, function))
        else:
            found.right_sources.append((mark.value, function))
    return found
