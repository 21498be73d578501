"""Searching pages and objects; and what of the framework's own can be found."""

from __future__ import annotations

from typing import Annotated, Any

from portalfw.auth.users import Group, User
from portalfw.controller.documents import Job
from portalfw.errorconditions import ErrorCondition
from portalfw.extension import searchable
from portalfw.rest import Actor, Arg, method
from portalfw.search import Found, Viewer
from portalfw.search.declaration import by_number
from portalfw.search.search import Deed

APPS = ("system",)


class Search(Actor, app="system"):
    """Pages and objects by their words."""

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def find(
        self,
        text: Annotated[str, Arg("Search", help="Words, an address, machine 12, #12, node: name, @user, # page.")] = "",
        kinds: Annotated[list[str] | None, Arg("Kinds", help="page, machine, …; all if left out.")] = None,
        limit: Annotated[int, Arg("Limit", help="Hits of each kind, at most 50.")] = 8,
    ) -> Found:
        """Find what the caller may read: pages, and objects by name, id, address or words, the surest first."""
        return self.runtime.search.find(self.call.principal, text, kinds, limit)

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def actions(self) -> list[Deed]:
        """Return what the caller may make from anywhere, and on which page."""
        return self.runtime.search.deeds(self.call.principal)


@searchable(
    "user",
    User,
    plural="Users",
    apps=APPS,
    pages=("/system/User?name={name}",),
    names=("emails",),
    icon="person",
    create=("system/usermanager/create", "/system/Users"),
    order=70,
)
def users(viewer: Viewer) -> dict[str, Any] | None:
    """Find users as an administrator."""
    return {} if viewer.principal.is_admin else None


@searchable(
    "group",
    Group,
    plural="Groups",
    apps=APPS,
    pages=("/system/Group?name={name}",),
    texts=("description",),
    icon="people",
    create=("system/usermanager/createGroup", "/system/Groups"),
    order=75,
)
def groups(viewer: Viewer) -> dict[str, Any] | None:
    """Find groups as an administrator."""
    return {} if viewer.principal.is_admin else None


def job_named(text: str) -> dict[str, Any] | None:
    """Find a job by its id, also as an error condition writes it: ``job-17``."""
    return by_number(text.removeprefix("job-"))


@searchable(
    "job",
    Job,
    plural="Jobs",
    apps=APPS,
    pages=("/grid/Job?id={id}",),
    title="script",
    state="status",
    icon="terminal",
    indexed=False,
    lookup=job_named,
    order=80,
)
def jobs(viewer: Viewer) -> dict[str, Any] | None:
    """Find jobs as an operator."""
    return {} if viewer.principal.is_operator else None


def occurrence_named(text: str) -> dict[str, Any] | None:
    """Find an error condition by what somebody was told when it happened; short words are no such id."""
    return {"occurrences.id": text} if len(text) >= 8 and " " not in text else None  # noqa: PLR2004 - as ids are


@searchable(
    "error condition",
    ErrorCondition,
    plural="Error conditions",
    aliases=("error",),
    apps=APPS,
    pages=("/system/Error Condition?id={id}",),
    title="error",
    texts=("place", "message"),
    icon="bug",
    lookup=occurrence_named,
    order=90,
)
def error_conditions(viewer: Viewer) -> dict[str, Any] | None:
    """Find error conditions as an operator."""
    return {} if viewer.principal.is_operator else None
