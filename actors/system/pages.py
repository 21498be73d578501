"""Sources of wiki pages: read, preview, save, create; drafts, locks and attachments. See docs/editing.md."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, TypedDict

from pydantic import Field

from portalfw.errors import InvalidError
from portalfw.history.attachments import Attachment, Attachments
from portalfw.history.drafts import Draft, Drafts
from portalfw.history.locks import Lock, Locks
from portalfw.history.pages import Pages as Sources
from portalfw.history.pages import Saved, SourceText
from portalfw.rest import Actor, Arg, method
from portalfw.rest.columns import Column, Columns
from portalfw.rest.listing import Listing
from portalfw.runtime import Runtime

Space = Annotated[str, Arg("Space", help="Name of the space, as in its address."), Field(max_length=100)]
Page = Annotated[str, Arg("Page", help="Name of the page, in any letter case."), Field(max_length=200)]
OfPage = Annotated[str | None, Arg("Page", help="Whose file it is; of the space if left out."), Field(max_length=200)]
Text = Annotated[str, Arg("Text", help="Source: front matter and Markdown.", multiline=True)]
Base = Annotated[str, Arg("Base", help="Revision that the text was made from."), Field(max_length=64)]
Message = Annotated[str, Arg("Message", help="What was changed, and why."), Field(max_length=500)]


class PageSource(TypedDict):
    """A page's source: ``revision`` goes back as ``base`` of a save, ``rights`` are the caller's letters."""

    space: str
    page: str
    address: str
    text: str
    revision: str
    rights: str
    lock: Lock | None


class SavedPage(TypedDict):
    """A saved page: with ``merged``, ``text`` also holds what others wrote meanwhile."""

    space: str
    page: str
    address: str
    revision: str
    changed: bool
    merged: bool
    text: str


class Preview(TypedDict):
    """A rendered text."""

    title: str
    layout: str
    html: str
    sub: str
    state: str
    actions: str


class FileRow(TypedDict):
    """An attachment; ``link`` is how pages of the space link to it, ``markdown`` what shows it."""

    name: str
    page: str | None
    size: int
    image: bool
    address: str
    link: str
    markdown: str


def pages_service(runtime: Runtime) -> Sources:
    """Return the process's service of pages."""
    return Sources(runtime.history)


class Pages(Actor, app="system"):
    """Wiki pages: their sources, and what editors need beside them."""

    @property
    def _pages(self) -> Sources:
        return self.service(pages_service)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def get(self, space: Space, page: Page, revision: Annotated[str | None, Field(max_length=64)] = None) -> PageSource:
        """Return a page's source, as it is or was at a revision, with who edits it now."""
        found = self._pages.get(self.call.principal, space, page, revision)
        return self._source(found)

    @method(right="login")
    def save(self, space: Space, page: Page, text: Text, base: Base, message: Message = "") -> SavedPage:
        """Save a page. What others saved since ``base`` is merged in; 409 tells of a conflict and loses nothing.

        The ``detail`` of the 409 holds the texts ``base``, ``mine``, ``theirs`` and ``merge`` (with markers), and
        ``revision``, which is the base of a text that was merged by hand. One's draft of the page is discarded.
        """
        saved = self._pages.save(self.call.principal, space, page, text, base, message)
        Drafts(self._pages).discard(self.call.principal, space, page)
        return _saved(saved)

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
    ) -> SavedPage:
        """Make a new page: of a text, like a template, or empty. 409 if there is one of this name."""
        saved = self._pages.create(self.call.principal, space, page, text, template, message, as_template=as_template)
        Drafts(self._pages).discard(self.call.principal, space, page)
        return _saved(saved)

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
    ) -> Preview:
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

    @method(right="login")
    def lock(
        self,
        space: Space,
        page: Page,
        force: Annotated[bool, Arg("Force", help="Take it from whoever has it; that one is told.")] = False,
    ) -> Lock:
        """Say that the caller edits a page, or still does; answers who does. It ends 90 s after the last call."""
        return self._locks.take(self.call.principal, space, page, force=force)

    @method(right="login")
    def unlock(self, space: Space, page: Page) -> bool:
        """Say that the caller edits a page no longer."""
        return self._locks.release(self.call.principal, space, page)

    @method(right="login", http=("GET", "POST"), readonly=True, live=("page_lock",))
    def locks(
        self,
        listing: Annotated[
            Listing, Columns(None, "space", "page", "user", search=("space", "page", "user"), sort="page")
        ],
    ) -> list[Lock]:
        """Return who edits what now, as far as the caller may see the pages."""
        readable = {space: {one.name for one in self._readable(space)} for space in self.runtime.wiki.spaces}
        rows = [row for row in self._locks.all(self.call.principal) if row["page"] in readable.get(row["space"], ())]
        return listing.of_rows(rows)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def draft(self, space: Space, page: Page) -> Draft | None:
        """Return the caller's draft of a page; null without one."""
        return self._drafts.get(self.call.principal, space, page)

    @method(right="login")
    def save_draft(self, space: Space, page: Page, text: Text, base: Base = "") -> float:
        """Keep a text that is not saved yet for 30 days; answers when (epoch seconds)."""
        return self._drafts.save(self.call.principal, space, page, text, base)

    @method(right="login")
    def discard_draft(self, space: Space, page: Page) -> bool:
        """Forget the caller's draft of a page."""
        return self._drafts.discard(self.call.principal, space, page)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def drafts(
        self,
        listing: Annotated[
            Listing, Columns(None, "space", "page", date=Column("date", "time"), search=("page",), sort="-date")
        ],
    ) -> list[Draft]:
        """Return the caller's drafts, the latest first."""
        return listing.of_rows(self._drafts.all(self.call.principal))

    @method(right="login", http=("GET", "POST"), readonly=True, live=("space_file",))
    def attachments(
        self,
        space: Space,
        page: OfPage = None,
        *,
        listing: Annotated[
            Listing, Columns(None, "name", "page", size=Column("size", "number"), search=("name", "page"), sort="name")
        ],
    ) -> list[FileRow]:
        """Return the files of a page, or all of a space's that the caller may read."""
        return listing.of_rows(map(_file, self._attachments.of(self.call.principal, space, page)))

    @method(right="login", title="Attach a file")
    def attach(
        self,
        space: Space,
        name: Annotated[str, Arg("Name", help="With its ending, which says the type."), Field(max_length=200)],
        data: Annotated[str, Arg("Content", help="In base64, 8 MiB at most.", secret=True)],
        page: OfPage = None,
        replace: Annotated[bool, Arg("Replace", help="Another file of this name.")] = False,
    ) -> FileRow:
        """Keep an image or file beside a page, or for a whole space. 409 if there is another of the name."""
        content = _content(data)
        return _file(self._attachments.add(self.call.principal, space, page, name, content, replace=replace))

    @method(right="login", destructive=True)
    def delete_attachment(
        self, space: Space, name: Annotated[str, Arg("Name"), Field(max_length=200)], page: OfPage = None
    ) -> bool:
        """Delete an attachment; earlier revisions keep it."""
        self._attachments.delete(self.call.principal, space, page, name)
        return True

    @property
    def _locks(self) -> Locks:
        return Locks(self._pages)

    @property
    def _drafts(self) -> Drafts:
        return Drafts(self._pages)

    @property
    def _attachments(self) -> Attachments:
        return Attachments(self._pages)

    def _readable(self, space: str) -> list[Any]:
        return self.runtime.wiki.readable(self.call.principal, space)

    def _source(self, found: SourceText) -> PageSource:
        return {
            "space": found.space,
            "page": found.name,
            "address": f"/{found.space}/{found.name}",
            "text": found.text,
            "revision": found.revision,
            "rights": "".join(letter for letter in "RWA" if letter in found.letters),
            "lock": self._locks.of(self.call.principal, found.space, found.name),
        }


def _saved(saved: Saved) -> SavedPage:
    return {
        "space": saved.space,
        "page": saved.name,
        "address": f"/{saved.space}/{saved.name}",
        "revision": saved.revision,
        "changed": saved.changed,
        "merged": saved.merged,
        "text": saved.text,
    }


def _file(one: Attachment) -> FileRow:
    return {
        "name": one.name,
        "page": one.page,
        "size": one.size,
        "image": one.image,
        "address": one.address,
        "link": one.link,
        "markdown": f"{'!' if one.image else ''}[{one.name.rpartition('.')[0]}]({one.link})",
    }


def _content(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(f"Argument data: {error}.", detail={"argument": "data"}) from error
