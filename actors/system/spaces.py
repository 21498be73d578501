"""Whole spaces: list, conflicts, git remotes, export and import. See docs/editing.md."""

from __future__ import annotations

import base64
from typing import Annotated, TypedDict

from pydantic import Field

from actors.system import page_rows as rows
from actors.system.page_rows import Message, Page, Space
from portalfw.errors import UnavailableError
from portalfw.history.space_settings import SpaceSettings, Wish, read_settings, rights_lines, write_settings
from portalfw.history.spaces import Spaces as Service
from portalfw.rest import Actor, Arg, method
from portalfw.rest.columns import Columns
from portalfw.rest.listing import Listing
from portalfw.runtime import Runtime
from portalfw.wiki.space import Navigation


class SpaceRow(TypedDict):
    """A space; ``remote`` for those who administer it."""

    name: str
    title: str
    pages: int
    conflicts: int
    revision: str
    remote: str | None


class DeletedRow(TypedDict):
    """A deleted space, which can be restored."""

    name: str
    title: str
    date: float
    by: str


class Settings(TypedDict):
    """What a space's space.yaml says. ``rights`` are lines of name: letters, ``may`` the caller's letters."""

    name: str
    title: str
    icon: str
    order: float
    hidden: bool
    toc: bool
    navigation: Navigation
    rights: str
    rules: list[RightRow]
    include: list[str]  # what it shows of the content directories besides its own
    writes: bool  # the caller may change it
    needed: str  # why it cannot be deleted


class RightRow(TypedDict):
    """What a group, user:NAME, login (everybody signed in) or guest (everybody) may do in a space."""

    name: str
    letters: str


class ConflictRow(TypedDict):
    """A page whose two sides wait to be merged: with what is shipped, or the remote."""

    space: str
    page: str
    address: str
    source: str
    date: float


class ConflictTexts(TypedDict):
    """The texts of a conflict; null where a side has no such page."""

    base: str | None
    mine: str | None
    theirs: str | None
    merge: str


class RemoteRow(TypedDict):
    """How a space and its remote stand to each other, in commits."""

    head: str
    remote: str | None
    ahead: int
    behind: int


class ChangedFiles(TypedDict):
    """What a pull or import has changed."""

    revision: str
    changed: list[str]


def spaces_service(runtime: Runtime) -> Service:
    """Return the process's service of spaces.

    :raises UnavailableError: in development mode.
    """
    if runtime.history.git is None:
        raise UnavailableError("In development mode spaces are folders of the content directories, not repositories.")
    return Service(runtime.history.git, runtime.settings.space_remotes, runtime.settings.default_space)


DELETED = Columns(DeletedRow, "name", "title", "date", "by", search=("name", "title"), sort="-date", times=("date",))


class Spaces(Actor, app="system"):
    """Spaces: what there are, conflicts, remotes, export and import."""

    @property
    def _spaces(self) -> Service:
        return spaces_service(self.runtime)

    def _settings(self, found: SpaceSettings) -> Settings:
        config = found.config
        return {
            "name": found.space,
            "title": config.title,
            "icon": config.icon or "",
            "order": int(config.order) if config.order.is_integer() else config.order,
            "hidden": config.hidden,
            "toc": config.toc,
            "navigation": config.navigation,
            "rights": rights_lines(config.rights),
            "rules": [{"name": name, "letters": letters} for name, letters in config.rights.items()],
            "include": list(config.include),
            "writes": found.writes,
            "needed": self._spaces.needed(found.space) if self.runtime.history.git else "",
        }

    @method(right="login", http=("GET", "POST"), readonly=True, live=("space_head",), title="List spaces")
    def list_(
        self,
        listing: Annotated[
            Listing,
            Columns(SpaceRow, "name", "title", "pages", "conflicts", search=("name", "title"), sort="name"),
        ],
    ) -> list[SpaceRow]:
        """Return the spaces that the caller may read."""
        found = self._spaces.all(self.call.principal)
        return listing.of_rows([vars(one) for one in found])

    @method(right="login", http=("GET", "POST"), readonly=True, live=("space_head:{space}",), title="Get settings")
    def settings(self, space: Space) -> Settings:
        """Return what a space is called, how it looks, and who may do what in it."""
        return self._settings(read_settings(self.runtime.history.store, self.call.principal, space))

    @method(right="login", title="Change settings")
    def configure(
        self,
        space: Space,
        title: Annotated[str | None, Field(max_length=200)] = None,
        icon: Annotated[
            str | None,
            Arg("Icon", help="A name of bootstrap-icons, such as book; none if empty."),
            Field(max_length=100),
        ] = None,
        order: Annotated[
            float | None, Arg("Order", help="Spaces with smaller numbers stand first."), Field(allow_inf_nan=False)
        ] = None,
        navigation: Annotated[
            Navigation | None, Arg("Navigation", help="written: as the page nav says; pages: all pages; none.")
        ] = None,
        toc: Annotated[
            bool | None, Arg("Contents", help="Texts of several chapters begin with their contents.")
        ] = None,
        hidden: Annotated[bool | None, Arg("Hidden", help="Not in the menu of portals.")] = None,
        rights: Annotated[
            str | None,
            Arg(
                "Rights",
                multiline=True,
                help="A line each: a group, user:NAME, login or guest, then : and letters of R, W, A.",
            ),
            Field(max_length=10_000),
        ] = None,
        message: Message = "",
    ) -> Settings:
        """Change what a space is called, how it looks, and who may do what in it; needs right A on it."""
        wish = Wish(title, icon, order, hidden, toc, navigation, rights)
        return self._settings(write_settings(self.runtime.history.store, self.call.principal, space, wish, message))

    @method(right="login", destructive=True, title="Delete space")
    def delete(self, space: Space) -> bool:
        """Its pages are served to nobody any more. They, their history and drafts can be restored until a purge."""
        self._spaces.delete(self.call.principal, space)
        return True

    @method(right="login", http=("GET", "POST"), readonly=True, live=("space_head",), title="List deleted spaces")
    def deleted(self, listing: Annotated[Listing, DELETED]) -> list[DeletedRow]:
        """Return the deleted spaces that the caller may restore: all for administrators, else one's own."""
        return listing.of_rows([vars(one) for one in self._spaces.deleted(self.call.principal)])

    @method(right="login", title="Restore space")
    def restore(self, space: Space) -> bool:
        """Serve a deleted space again, as it was."""
        self._spaces.restore(self.call.principal, space)
        return True

    @method(right="group:admin", destructive=True, title="Purge space")
    def purge(self, space: Space) -> bool:
        """Forget a deleted space for ever, with its history and drafts."""
        self._spaces.purge(self.call.principal, space)
        return True

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page_conflict",))
    def conflicts(
        self,
        space: Space,
        *,
        listing: Annotated[
            Listing, Columns(ConflictRow, "page", "source", "date", search=("page",), sort="page", times=("date",))
        ],
    ) -> list[ConflictRow]:
        """Return the pages whose two sides could not be merged; until somebody saves them they are as they were."""
        found = self._spaces.conflicts(self.call.principal, space)
        return listing.of_rows([{**vars(one), "address": f"/{one.space}/{one.page}"} for one in found])

    @method(right="login", http=("GET", "POST"), readonly=True)
    def conflict(self, space: Space, page: Page) -> ConflictTexts:
        """Return the texts of a conflict; save the page merged by hand to end it."""
        found = self._spaces.sides(self.call.principal, space, page)
        return {"base": found.base, "mine": found.mine, "theirs": found.theirs, "merge": found.merge}

    @method(right="login", title="Keep ours")
    def settle(self, space: Space, page: Page) -> bool:
        """End a conflict by leaving the page as it is here."""
        self._spaces.settle(self.call.principal, space, page)
        return True

    @method(right="login", title="Set remote")
    def set_remote(
        self,
        space: Space,
        url: Annotated[
            str, Arg("Remote", help="https://… or ssh://…; empty for none.", secret=True), Field(max_length=500)
        ] = "",
    ) -> bool:
        """Name the git remote of a space; needs right A on it."""
        self._spaces.set_remote(self.call.principal, space, url)
        return True

    @method(right="login", readonly=True)
    def status(self, space: Space) -> RemoteRow:
        """Ask the remote how many commits are here and not there, and the other way round."""
        found = self._spaces.status(self.call.principal, space)
        return {"head": found.head, "remote": found.remote, "ahead": found.ahead, "behind": found.behind}

    @method(right="login")
    def pull(self, space: Space) -> ChangedFiles:
        """Merge what the remote has. Pages that both changed in the same place stay, and are listed as conflicts."""
        done = self._spaces.pull(self.call.principal, space)
        return {"revision": done.revision, "changed": list(done.changed)}

    @method(right="login")
    def push(self, space: Space) -> bool:
        """Push to the remote; 409 if it has commits that are not here."""
        self._spaces.push(self.call.principal, space)
        return True

    @method(right="login", readonly=True)
    def export(self, space: Space) -> str:
        """Return all files of a space as a zip file, in base64; needs right A on it."""
        return base64.b64encode(self._spaces.export(self.call.principal, space)).decode()

    @method(right="login", title="Import")
    def import_(
        self, space: Space, data: Annotated[str, Arg("Zip file", help="In base64.", secret=True)], message: Message = ""
    ) -> ChangedFiles:
        """Take the files of a zip file in one commit, into a space that the caller administers, or a new one."""
        done = self._spaces.import_(self.call.principal, space, rows.content(data), message)
        return {"revision": done.revision, "changed": list(done.changed)}
