"""The wiki: from an address and a viewer to a page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.content import Content
from portalfw.errors import ForbiddenError, InvalidError, NotFoundError, PortalError, UnauthenticatedError
from portalfw.rest.errors import status_of
from portalfw.wiki import menus
from portalfw.wiki.address import address_of, page_key, page_topic
from portalfw.wiki.bounds import text
from portalfw.wiki.calling import Dispatch
from portalfw.wiki.context import Place
from portalfw.wiki.data import Data, DataError, fetch
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.fragments import Fragments
from portalfw.wiki.kept import Changes, KeptBlocks
from portalfw.wiki.macro import Macros
from portalfw.wiki.nav import NavGroup
from portalfw.wiki.packages import packaged_macros, template_folders
from portalfw.wiki.page import Page
from portalfw.wiki.pageparts import PageParts
from portalfw.wiki.render import LATE, Renderer
from portalfw.wiki.rights import letters_of, require
from portalfw.wiki.runner import Runner
from portalfw.wiki.section import section
from portalfw.wiki.settings import Limits, WikiSettings
from portalfw.wiki.space import HOME, Space, find_spaces
from portalfw.wiki.templates import Templates
from portalfw.wiki.views import Back, Moved, PageFault, PageView, Surroundings, Twin

log = logging.getLogger(__name__)

MACRO = "_macro"  # the query parameter that asks for one macro afresh
TWINS = (".json", ".md")


@dataclass(frozen=True)
class _Target:
    """What an address names."""

    space: Space
    name: str
    twin: str


class Wiki:
    """All spaces of an installation, and how their pages are shown."""

    def __init__(
        self,
        content: Content,
        dispatcher: Dispatch,
        settings: WikiSettings,
        limits: Limits | None = None,
        changes: Changes | None = None,
    ) -> None:
        """Load the macros and find the spaces. ``changes`` tells whether what macros showed still holds.

        :raises StartError: naming the file of a macro that cannot be loaded.
        """
        self.dispatcher = dispatcher
        self.limits = limits or Limits()
        packaged = packaged_macros()
        self.macros = Macros.of_modules([*packaged, *content.modules("macros")])
        self._default = settings.default_space
        folders = [room / "templates" for room in content.rooms("macros")]
        self._fragments = Fragments(changes) if changes else None
        kept = KeptBlocks(self.limits.kept_blocks, changes)
        runner = Runner(
            self.macros, Templates([*template_folders(packaged), *folders]), settings.macro_deadline, self.limits, kept
        )
        self.renderer = Renderer(runner, self.limits)
        self.spaces = find_spaces(content.rooms("spaces"), rescan=self.limits.rescan_seconds)

    def view(
        self, principal: Principal, path: str, params: Mapping[str, str], since: str = ""
    ) -> PageView | Twin | Moved:
        """Answer a GET of a page's address.

        ``/space/Page?id=3`` gives the page; ``.json`` and ``.md`` behind the name its data and its source; the query
        parameter ``_macro`` one of its macros, afresh in its wrapper; another name of a page its address. What is wrong
        with the address, the page or its data comes back as a :class:`PageView` with a ``fault``. A macro may be one
        that was rendered for others of the same rights, if that was at or after the position ``since`` of the stream
        of changes.

        :raises UnauthenticatedError: if a guest has to sign in first.
        """
        query = {name: value for name, value in params.items() if name not in {MACRO, LATE}}
        space: Space | None = None
        try:
            target = self._target(path)
            space = target.space
            page = self._page(target, principal)
            macro, late = params.get(MACRO), LATE in params

            def answer(viewer: Principal) -> PageView | Twin | Moved:
                return self._answer(target, page, viewer, query, macro, late=late)

            if self._fragments is None or macro is None or late or not since or target.twin:
                return answer(principal)
            what = (page.space, page.name, page.modified, target.name, frozenset(query.items()), macro)
            return self._fragments.answer(what, principal, since, answer)
        except UnauthenticatedError:
            raise
        except DataError as error:
            fault = _fault(error.cause, space)
        except PageSyntaxError as error:
            fault = self._mistake(error, path, space)
        except PortalError as error:
            fault = _fault(error, space)
        return self._faulty(fault, principal, path, space, params.get(MACRO))

    def page(self, principal: Principal, space: str, name: str) -> Page:
        """Return a page that the viewer may read.

        :raises NotFoundError: if there is none.
        :raises UnauthenticatedError: for a guest without the right.
        :raises ForbiddenError: for a user without the right.
        :raises PageSyntaxError: if its text cannot be understood.
        """
        return self._page(_Target(self._space(space), name, ""), principal)

    def readable(self, principal: Principal, space: str) -> list[Page]:
        """Return the pages of a space that the viewer may read."""
        found = self._space(space)
        rights = found.config.rights
        return [page for page in found.pages() if "R" in letters_of(principal, {**rights, **page.rights})]

    def navigation(self, principal: Principal, space: str) -> list[NavGroup]:
        """Return a space's navigation as the viewer may see it."""
        return menus.navigation(self._space(space), principal, set())

    def include(self, page: Page, place: Place, key: str, heading: str | None = None) -> tuple[Markup, frozenset[str]]:
        """Render a page, or what stands under one of its headings, within another; return HTML and topics.

        :raises NotFoundError: if it has no such heading.
        :raises InvalidError: if pages include each other.
        """
        if place.depth >= self.limits.include_depth:
            raise InvalidError(f"pages include each other more than {self.limits.include_depth} deep")
        inner, values = self._place(page, place.principal, place.params, depth=place.depth + 1)
        draft = self.renderer.draft(page.body, inner, values, prefix=f"{key}--")
        inner = replace(inner, patient=True)
        if heading:
            draft = replace(draft, html=section(draft.html, heading))
        rendered = self.renderer.render([draft], inner)[0]
        of_data = inner.data.topics_of(frozenset(inner.data.values))
        return rendered.html, rendered.topics | of_data | {page_topic(page.space, page.name)}

    def way(self, place: Place) -> list[tuple[str, str]]:
        """Return the way to the page of ``place``: labels and addresses, the page itself last."""
        page = place.page
        declared = {param.name: param.read(place.params) for param in page.params}
        values = {"params": dict(place.params), **declared, **place.data.values}
        title = text(page.title.run(values)) or page.name
        return menus.breadcrumbs(self._space(page.space), page, title, menus.parents(page, values), place.params)

    def preview(self, principal: Principal, page: Page, params: Mapping[str, str]) -> PageView:
        """Render a page that may be stored nowhere, as the viewer would see it; its macros do not refresh themselves.

        :raises PageSyntaxError: if an expression fails, naming the line.
        :raises PortalError: what its data or a parameter raises.
        """
        try:
            place, values = self._place(page, principal, params, depth=1)
        except DataError as error:
            raise error.cause from error
        return self._view(PageParts(self.renderer, page, place, values), self._space(page.space))

    def _target(self, path: str) -> _Target:
        parts = [part for part in path.split("/") if part]
        space = self._space(parts[0] if parts else self._default)
        name = parts[-1] if len(parts) > 1 else HOME
        twin = next((ending for ending in TWINS if name.lower().endswith(ending)), "")
        return _Target(space, name[: -len(twin)] if twin else name, twin)

    def _space(self, name: str) -> Space:
        for ending in ("", *TWINS):
            space = self.spaces.get(name.lower().removesuffix(ending) if ending else name.lower())
            if space:
                return space
        raise NotFoundError(f"There is no space {name!r}.")

    def _page(self, target: _Target, principal: Principal) -> Page:
        config = target.space.config
        try:
            page = target.space.find(target.name)
        except (NotFoundError, PageSyntaxError):
            require(principal, config.rights, "R", f"the space {config.title}")
            raise
        require(principal, {**config.rights, **page.rights}, "R", f"the page {page.name} of {config.title}")
        return page

    def _place(
        self, page: Page, principal: Principal, query: Mapping[str, str], *, depth: int = 0
    ) -> tuple[Place, dict[str, Any]]:
        declared = {param.name: param.read(query) for param in page.params}
        values = {"params": dict(query), **declared}  # what a page declares wins
        if page.names_viewer:  # else it is not asked who the viewer is, and what others see may serve him too
            values.setdefault("user", {"name": principal.name, "guest": principal.guest})
        data = fetch(page.data, values, self.dispatcher, principal) if page.data else Data()
        return Place(self, page, principal, query, data, depth), {**values, **data.values}

    def _answer(
        self,
        target: _Target,
        page: Page,
        principal: Principal,
        query: Mapping[str, str],
        macro: str | None,
        *,
        late: bool,
    ) -> PageView | Twin | Moved:
        if page_key(page.name) != page_key(target.name):
            return Moved(address_of(f"{page.path}{target.twin}", query if macro is None else {**query, MACRO: macro}))
        if target.twin == ".md":
            return Twin(page.source.text.encode(), "text/markdown; charset=utf-8")
        place, values = self._place(page, principal, query)
        if target.twin == ".json":
            return _json_twin(page, place, values)
        parts = PageParts(self.renderer, page, replace(place, late=late), values)
        if macro is not None:
            return Twin(parts.one(macro).encode(), "text/html; charset=utf-8")
        return self._view(parts, target.space)

    def _view(self, parts: PageParts, space: Space) -> PageView:
        page, place = parts.page, parts.place
        title = text(page.title.run(parts.values)) or page.name
        above = menus.parents(page, parts.values)
        around = self._around(
            space, place.principal, {page_key(page.name), *(page_key(one[1].partition("?")[0]) for one in above)}
        )
        crumbs = menus.breadcrumbs(space, page, title, above, place.params)
        rendered = parts.all(title)
        refresh = page.source.meta.get("refresh")
        return PageView(
            title=title,
            path=page.path,
            html=rendered.html,
            around=replace(around, breadcrumbs=crumbs),
            head=rendered.head,
            layout=parts.layout,
            revision=page.revision,
            refresh=float(refresh) if isinstance(refresh, (int, float)) else None,
            topics=rendered.topics | {page_topic(page.space, page.name)},
        )

    def _around(self, space: Space | None, principal: Principal, here: set[str]) -> Surroundings:
        nav = menus.navigation(space, principal, here) if space else []
        return Surroundings(nav, menus.portals(self.spaces, principal, space))

    def _mistake(self, error: PageSyntaxError, path: str, space: Space | None) -> PageFault:
        fault_id = f"e-{secrets.token_hex(4)}"
        log.warning("%s: page %s, line %s: %s", fault_id, path, error.line, error)
        name = path.rstrip("/").rpartition("/")[2]
        message = f"Page {name}, line {error.line}: {error}."
        return PageFault(500, "This page has a mistake", message, fault_id, _back(space))

    def _faulty(
        self, fault: PageFault, principal: Principal, path: str, space: Space | None, macro: str | None
    ) -> PageView | Twin:
        if macro is not None:
            return Twin(fault.message.encode(), "text/plain; charset=utf-8", fault.status)
        if fault.status == status_of(ForbiddenError("")):
            space = None  # the navigation of a space that the viewer may not see is no business of his
        around = self._around(space, principal, set())
        crumbs = [(space.config.title, f"/{space.name}")] if space else []
        return PageView(
            fault.title, path, Markup(), replace(around, breadcrumbs=[*crumbs, (fault.title, path)]), fault=fault
        )


def _json_twin(page: Page, place: Place, values: Mapping[str, Any]) -> Twin:
    answer = {
        "space": page.space,
        "page": page.name,
        "title": text(page.title.run(values)),
        "state": page.state.run(values),
        "params": {param.name: values[param.name] for param in page.params},
        "data": place.data.values,
    }
    return Twin(orjson.dumps(answer), "application/json")


TITLES = {
    400: "The address is not complete",
    403: "You may not see this page",
    404: "Not found",
    409: "Not possible now",
    503: "Not available now",
}


def _fault(error: PortalError, space: Space | None) -> PageFault:
    status = status_of(error)
    message = error.message if error.message.endswith(".") else f"{error.message}."
    title = TITLES.get(status, "This page cannot be shown")
    return PageFault(status, title, message, back=_back(None if isinstance(error, ForbiddenError) else space))


def _back(space: Space | None) -> Back:
    return Back(f"Go to {space.config.title}", f"/{space.name}") if space else Back("Go to the start page", "/")
