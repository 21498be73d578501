"""Sources of wiki pages: read, preview, save, move, look into their past; drafts, locks, files. See docs/editing.md."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from actors.system import page_rows as rows
from actors.system.page_rows import Base, Message, OfPage, Page, RevisionId, Space, Text
from portalfw.history.attachments import Attachments
from portalfw.history.diff import Difference
from portalfw.history.drafts import Draft, Drafts
from portalfw.history.earlier import Earlier
from portalfw.history.linkindex import LinkIndex
from portalfw.history.locks import Lock, Locks
from portalfw.history.moving import Moving
from portalfw.history.pages import Pages as Sources
from portalfw.history.pages import SourceText
from portalfw.history.recent import RecentChanges
from portalfw.rest import Actor, Arg, method
from portalfw.rest.columns import Columns
from portalfw.rest.listing import Listing
from portalfw.runtime import Runtime

LOCKS = Columns(Lock, "space", "page", "user", "since", search=("space", "page", "user"), sort="page", times=("since",))
DRAFTS = Columns(Draft, "space", "page", "date", search=("page",), sort="-date", times=("date",))
FILES = Columns(rows.FileRow, "name", "page", "size", search=("name", "page"), sort="name")
PAGES = Columns(rows.PageRef, "space", "page", search=("page",), sort="page")
WANTED = Columns(rows.WantedRow, "space", "page", "count", search=("page",), sort="-count")
REVISIONS = Columns(
    rows.RevisionRow,
    *("revision", "author", "message", "action", "page", "date"),
    search=("author", "message"),
    sort="-date",
    limit=50,
    most=500,
    times=("date",),
)
RECENT = Columns(
    rows.RecentRow,
    *("space", "page", "action", "author", "message", "date"),
    search=("page", "author", "message"),
    sort="-date",
    limit=50,
    most=500,
    times=("date",),
)


def pages_service(runtime: Runtime) -> Sources:
    """Return the process's service of pages."""
    return Sources(runtime.history)


def link_index(runtime: Runtime) -> LinkIndex:
    """Return the process's index of links."""
    return LinkIndex(runtime.history)


def recent_changes(runtime: Runtime) -> RecentChanges:
    """Return the process's list of recent changes."""
    return RecentChanges(runtime.history)


class Pages(Actor, app="system"):
    """Wiki pages: their sources, and what editors need beside them."""

    @property
    def _pages(self) -> Sources:
        return self.service(pages_service)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def get(
        self, space: Space, page: Page, revision: Annotated[str | None, Field(max_length=64)] = None
    ) -> rows.PageSource:
        """Return a page's source, as it is or was at a revision, with who edits it now."""
        if revision is None:
            return self._source(self._pages.get(self.call.principal, space, page))
        name, text = self._earlier.text(self.call.principal, space, page, revision)
        return self._source(SourceText(space.lower(), name, text, revision, frozenset("R")))

    @method(right="login")
    def save(self, space: Space, page: Page, text: Text, base: Base, message: Message = "") -> rows.SavedPage:
        """Save a page. What others saved since ``base`` is merged in; 409 tells of a conflict and loses nothing.

        The ``detail`` of the 409 holds the texts ``base``, ``mine``, ``theirs`` and ``merge`` (with markers), and
        ``revision``, which is the base of a text that was merged by hand. One's draft of the page is discarded.
        """
        saved = self._pages.save(self.call.principal, space, page, text, base, message)
        Drafts(self._pages).discard(self.call.principal, space, page)
        return rows.saved_row(saved)

    @method(right="login")
    def create(
        self,
        space: Space,
        page: Page,
        text: Annotated[str | None, Arg("Text", multiline=True)] = None,
        template: Annotated[
            str | None, Arg("Template", help="Name of a template of the space to begin as."), Field(max_length=200)
        ] = None,
        as_template: Annotated[bool, Arg("As template", help="Others may begin as it.")] = False,
        message: Message = "",
    ) -> rows.SavedPage:
        """Make a new page: of a text, like a template, or empty. 409 if there is one of this name."""
        saved = self._pages.create(self.call.principal, space, page, text, template, message, as_template=as_template)
        Drafts(self._pages).discard(self.call.principal, space, page)
        return rows.saved_row(saved)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def templates(self, space: Space) -> list[str]:
        """Return the names of a space's templates."""
        return self._pages.templates(self.call.principal, space)

    @method(right="login", readonly=True)
    def preview(
        self,
        space: Space,
        page: Page,
        text: Text,
        params: Annotated[dict[str, Any] | None, Arg("Parameters", help="The page's query, by name.")] = None,
    ) -> rows.Preview:
        """Render a text as the caller would see it as that page, which need not exist; nothing is stored.

        A text that is no page is answered with 400; ``detail.line`` says where.
        """
        query = {str(name): str(value) for name, value in (params or {}).items()}
        view = self._pages.preview(self.call.principal, space, page, text, query)
        head = view.head
        return {
            "title": view.title,
            "layout": view.layout,
            "html": str(view.html),
            "sub": str((head and head.sub) or ""),
            "state": str((head and head.state) or ""),
            "actions": str((head and head.actions) or ""),
        }

    @method(right="login", minor=True)
    def lock(
        self,
        space: Space,
        page: Page,
        force: Annotated[bool, Arg("Force", help="Take it from whoever has it; that one is told.")] = False,
    ) -> Lock:
        """Say that the caller edits a page, or still does; answers who does. It ends 90 s after the last call."""
        return self._locks.take(self.call.principal, space, page, force=force)

    @method(right="login", minor=True)
    def unlock(self, space: Space, page: Page) -> bool:
        """Say that the caller edits a page no longer."""
        return self._locks.release(self.call.principal, space, page)

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page_lock",))
    def locks(
        self,
        listing: Annotated[Listing, LOCKS],
    ) -> list[Lock]:
        """Return who edits what now, as far as the caller may see the pages."""
        readable = {space: {one.name for one in self._readable(space)} for space in self.runtime.wiki.spaces}
        rows = [row for row in self._locks.all(self.call.principal) if row["page"] in readable.get(row["space"], ())]
        return listing.of_rows(rows)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def draft(self, space: Space, page: Page) -> Draft | None:
        """Return the caller's draft of a page; null without one."""
        return self._drafts.get(self.call.principal, space, page)

    @method(right="login", minor=True)
    def save_draft(self, space: Space, page: Page, text: Text, base: Base = "") -> float:
        """Keep a text that is not saved yet for 30 days; answers when (epoch seconds)."""
        return self._drafts.save(self.call.principal, space, page, text, base)

    @method(right="login", minor=True)
    def discard_draft(self, space: Space, page: Page) -> bool:
        """Forget the caller's draft of a page."""
        return self._drafts.discard(self.call.principal, space, page)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def drafts(
        self,
        listing: Annotated[Listing, DRAFTS],
    ) -> list[Draft]:
        """Return the caller's drafts, the latest first."""
        return listing.of_rows(self._drafts.all(self.call.principal))

    @method(right="login", http=("GET", "POST"), readonly=True, live=("space_file",))
    def attachments(
        self,
        space: Space,
        page: OfPage = None,
        *,
        listing: Annotated[Listing, FILES],
    ) -> list[rows.FileRow]:
        """Return the files of a page, or all of a space's that the caller may read."""
        return listing.of_rows(map(rows.file_row, self._attachments.of(self.call.principal, space, page)))

    @method(right="login", title="Attach a file")
    def attach(
        self,
        space: Space,
        name: Annotated[str, Arg("Name", help="With its ending, which says the type."), Field(max_length=200)],
        data: Annotated[str, Arg("Content", help="In base64, 8 MiB at most.", secret=True)],
        page: OfPage = None,
        replace: Annotated[bool, Arg("Replace", help="Another file of this name.")] = False,
    ) -> rows.FileRow:
        """Keep an image or file beside a page, or for a whole space. 409 if there is another of the name."""
        content = rows.content(data)
        return rows.file_row(self._attachments.add(self.call.principal, space, page, name, content, replace=replace))

    @method(right="login", destructive=True)
    def delete_attachment(
        self, space: Space, name: Annotated[str, Arg("Name"), Field(max_length=200)], page: OfPage = None
    ) -> bool:
        """Delete an attachment; earlier revisions keep it."""
        self._attachments.delete(self.call.principal, space, page, name)
        return True

    @method(right="login", http=("GET", "POST"), readonly=True)
    def history(
        self,
        space: Space,
        page: Page,
        *,
        listing: Annotated[Listing, REVISIONS],
    ) -> list[rows.RevisionRow]:
        """Return the revisions of a page, the latest first, as far as the caller may read it as it was."""
        found = self._earlier.history(self.call.principal, space, page)
        return listing.of_rows(map(rows.revision_row, found))

    @method(right="login", http=("GET", "POST"), readonly=True)
    def diff(
        self,
        space: Space,
        page: Page,
        old: RevisionId,
        new: Annotated[
            str | None, Arg("New", help="Revision; how the page is now if left out."), Field(max_length=64)
        ] = None,
    ) -> Difference:
        """Compare a page at two revisions: hunks of lines, and the words that changed within them."""
        return self._earlier.diff(self.call.principal, space, page, old, new)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def blame(self, space: Space, page: Page) -> list[rows.BlameRow]:
        """Return which revision brought which lines of a page."""
        return [rows.blame_row(one) for one in self._earlier.blame(self.call.principal, space, page)]

    @method(right="login")
    def revert(self, space: Space, page: Page, revision: RevisionId, message: Message = "") -> rows.SavedPage:
        """Save a page as it was at a revision; what it is now stays in its history."""
        return rows.saved_row(self._earlier.revert(self.call.principal, space, page, revision, message))

    @method(right="login")
    def restore(self, space: Space, page: Page, message: Message = "") -> rows.SavedPage:
        """Bring a deleted page back as it was last, with its attachments."""
        return rows.saved_row(self._earlier.restore(self.call.principal, space, page, message))

    @method(right="login", destructive=True)
    def delete(self, space: Space, page: Page, message: Message = "") -> str:
        """Delete a page with its attachments; ``restore`` brings it back. Answers the revision since then."""
        return self._moving.delete(self.call.principal, space, page, message)

    @method(right="login")
    def rename(
        self,
        space: Space,
        page: Page,
        name: Annotated[str, Arg("New name"), Field(max_length=200)],
        message: Message = "",
    ) -> rows.MovedPage:
        """Give a page another name, and rewrite the links to it in all pages that the caller may write."""
        return rows.moved_row(self._moving.rename(self.call.principal, space, page, name, message))

    @method(right="login")
    def move(
        self,
        space: Space,
        page: Page,
        to: Annotated[str, Arg("To", help="Name of the other space."), Field(max_length=100)],
        message: Message = "",
    ) -> rows.MovedPage:
        """Move a page with its attachments to another space, and rewrite the links to it and in it."""
        return rows.moved_row(self._moving.move(self.call.principal, space, page, to, message))

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page",))
    def recent(
        self,
        space: Annotated[str | None, Arg("Space", help="All that the caller may read if left out.")] = None,
        *,
        listing: Annotated[Listing, RECENT],
    ) -> list[rows.RecentRow]:
        """Return what was changed lately in pages that the caller may read, the latest first."""
        found = self.service(recent_changes).all(self.call.principal, space)
        return listing.of_rows(map(rows.recent_row, found))

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page",))
    def backlinks(
        self,
        space: Space,
        page: Page,
        *,
        listing: Annotated[Listing, PAGES],
    ) -> list[rows.PageRef]:
        """Return the pages that link to a page or include it, as far as the caller may read them."""
        self._pages.check_now(self.call.principal, space, page)
        return listing.of_rows(rows.source_rows(self._index.backlinks(self.call.principal, space, page)))

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page",))
    def wanted(
        self,
        listing: Annotated[Listing, WANTED],
    ) -> list[rows.WantedRow]:
        """Return the pages that are linked to and that there are not, with where they are linked from."""
        found = self._index.wanted(self.call.principal)
        return listing.of_rows(rows.wanted_row(space, name, of) for (space, _), (name, of) in found.items())

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page",))
    def orphans(self, listing: Annotated[Listing, PAGES]) -> list[rows.PageRef]:
        """Return the pages that no other page and no navigation leads to."""
        return listing.of_rows(rows.source_rows(self._index.orphans(self.call.principal)))

    @property
    def _locks(self) -> Locks:
        return Locks(self._pages)

    @property
    def _drafts(self) -> Drafts:
        return Drafts(self._pages)

    @property
    def _attachments(self) -> Attachments:
        return Attachments(self._pages)

    @property
    def _earlier(self) -> Earlier:
        return Earlier(self._pages)

    @property
    def _index(self) -> LinkIndex:
        return self.service(link_index)

    @property
    def _moving(self) -> Moving:
        return Moving(self._pages, self._index)

    def _readable(self, space: str) -> list[Any]:
        return self.runtime.wiki.readable(self.call.principal, space)

    def _source(self, found: SourceText) -> rows.PageSource:
        return {
            **rows.page_ref(found.space, found.name),
            "text": found.text,
            "revision": found.revision,
            "rights": "".join(letter for letter in "RWA" if letter in found.letters),
            "lock": self._locks.of(self.call.principal, found.space, found.name),
        }
