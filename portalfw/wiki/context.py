"""What a macro is given: the viewer's API, the page, the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.rest.naming import wire_name
from portalfw.wiki.address import address_of
from portalfw.wiki.block import Block
from portalfw.wiki.calling import Caller
from portalfw.wiki.errors import MacroError

if TYPE_CHECKING:
    from portalfw.rest.declaration import Method
    from portalfw.rest.listing import Page as Rows
    from portalfw.wiki.data import Data
    from portalfw.wiki.markup import Heading
    from portalfw.wiki.page import Page
    from portalfw.wiki.templates import Templates
    from portalfw.wiki.wiki import Wiki


@dataclass(frozen=True)
class Place:
    """Where a macro stands: page, viewer, query and the page's data."""

    wiki: Wiki
    page: Page
    principal: Principal
    params: Mapping[str, str]
    data: Data
    depth: int = 0  # of inclusion
    patient: bool = False  # macros are waited for: what surrounds them fills in late as a whole
    late: bool = False  # the browser asks for a macro that had not answered in time
    headings: tuple[Heading, ...] = ()

    def address(self, **changes: Any) -> str:
        """Return the page's own address with its query, changed: None takes a parameter away."""
        return address_of(self.page.path, {**self.params, **changes})


class _Actor:
    def __init__(self, context: MacroContext, *names: str) -> None:
        self._context = context
        self._names = names

    def __getattr__(self, name: str) -> _Actor:
        return _Actor(self._context, *self._names, name)

    def __call__(self, **arguments: Any) -> Any:
        *path, method = self._names
        wires = {wire_name(name): value for name, value in arguments.items()}
        return self._context.call("/".join((*path, wire_name(method))), **wires)


class MacroContext:
    """A macro's first argument.

    ``ctx.api.cloudbroker.machine.get(machine_id=3)`` and ``ctx.call("cloudbroker/machine/get", machineId=3)`` are the
    same: a call with the viewer's rights, whose live topics become those of the macro's block.
    """

    def __init__(self, place: Place, key: str, templates: Templates) -> None:
        """Bind to a place in a page; ``key`` names this call among the page's macros."""
        self._place = place
        self.call_key = key
        self.tied = False  # to this page, its address or data: what was made of such is not kept for others
        self._templates = templates
        self._caller = Caller(place.wiki.dispatcher, place.principal)

    @property
    def api(self) -> _Actor:
        """The API as attributes: ``ctx.api.<app>.<actor>.<method>(argument=…)``."""
        return _Actor(self)

    @property
    def place(self) -> Place:
        """Where the macro stands."""
        self.tied = True
        return self._place

    @property
    def key(self) -> str:
        """The name of this call among the page's macros."""
        return self.call_key

    @property
    def space(self) -> str:
        """The name of the page's space."""
        return self._place.page.space

    @property
    def page(self) -> Page:
        """The page."""
        return self.place.page

    @property
    def wiki(self) -> Wiki:
        """The wiki, for macros that list or include pages."""
        return self._place.wiki

    @property
    def params(self) -> Mapping[str, str]:
        """The query string."""
        return self.place.params

    @property
    def principal(self) -> Principal:
        """The viewer."""
        return self._place.principal

    @property
    def topics(self) -> frozenset[str]:
        """What the macro's output depends on so far."""
        return frozenset(self._caller.topics)

    def call(self, address: str, /, **arguments: Any) -> Any:
        """Call a reading method by address and wire names and return its answer."""
        return self._caller.call(address, arguments)

    def choices(self, address: str, /, **arguments: Any) -> Any:
        """Call a list method for names to choose from: of its live topics only the first matters, what it lists."""
        return self._caller.call(address, arguments, most_topics=1)

    def rows(self, address: str, /, **arguments: Any) -> Rows[Any]:
        """Call a list method and return its page of rows, which knows how many there are in all.

        :raises MacroError: if the method is no list that pages.
        """
        return self._caller.rows(address, arguments)

    def describe(self, address: str) -> Method:
        """Return the declaration of a method."""
        return self._caller.describe(address)

    def watch(self, *topics: str) -> None:
        """Depend on further topics: a collection, or ``collection:id``."""
        self._caller.topics.update(topics)

    def data(self, name: str) -> Any:
        """Return the result of an entry of the page's ``data:``.

        :raises MacroError: if the page has none of this name.
        """
        if name not in self.place.data.values:
            raise MacroError(f"the page's data: has no entry {name!r}")
        self.watch(*self.place.data.topics(name))
        return self.place.data.values[name]

    def link(self, target: str, values: Mapping[str, Any] | None = None) -> str:
        """Return the address of ``target``: a page of this space, ``/Space/Page``, or ``https://…``.

        ``{field}`` in it is filled from ``values``.
        """
        return self._place.page.link(target, values or {})

    def here(self, **changes: Any) -> str:
        """Return the page's own address with its query, changed: None takes a parameter away."""
        return self.place.address(**changes)

    def render(self, template: str, **values: Any) -> Block:
        """Fill a template of ``macros/templates`` (autoescaped) and return it with the topics of the calls so far."""
        html = self._templates.render(template, {"ctx": self, "key": self.key, **values})
        return Block(Markup(html), self.topics)  # noqa: S704 - made by an autoescaping template
