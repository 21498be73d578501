"""What the wiki hands to the web application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from portalfw.wiki.nav import NavGroup


@dataclass(frozen=True)
class Portal:
    """A space in the portals menu."""

    label: str
    href: str
    icon: str | None = None
    active: bool = False


@dataclass(frozen=True)
class Head:
    """Title line of a page: state, one grey line of facts, actions at the right."""

    title: str
    sub: Markup | None = None
    state: Markup | None = None
    actions: Markup | None = None


@dataclass(frozen=True)
class Back:
    """The way out of an error page."""

    label: str
    href: str


@dataclass(frozen=True)
class PageFault:
    """Why a page cannot be shown: HTTP status, a title, what was wrong, an id for the log, the way back."""

    status: int
    title: str
    message: str
    id: str | None = None
    back: Back | None = None


@dataclass(frozen=True)
class Surroundings:
    """What stands around a page: menus and the way to it."""

    nav: Sequence[NavGroup] = ()
    portals: Sequence[Portal] = ()
    breadcrumbs: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class PageView:
    """A page, rendered for one viewer. With ``fault`` there is nothing else to show."""

    title: str
    path: str
    html: Markup
    around: Surroundings
    head: Head | None = None
    layout: Literal["wide", "prose"] = "wide"
    revision: str = ""
    refresh: float | None = None  # seconds after which the browser loads the page again
    topics: frozenset[str] = frozenset()
    fault: PageFault | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.fault.status if self.fault else 200

    @property
    def breadcrumbs(self) -> Sequence[tuple[str, str]]:
        """The way to the page: label and address, the page itself last."""
        return self.around.breadcrumbs

    @property
    def nav(self) -> Sequence[NavGroup]:
        """The space's navigation."""
        return self.around.nav

    @property
    def portals(self) -> Sequence[Portal]:
        """The spaces that the viewer may read."""
        return self.around.portals


@dataclass(frozen=True)
class Moved:
    """The address is another name of a page, which is at ``href``."""

    href: str


@dataclass(frozen=True)
class Twin:
    """An answer without a frame: a page's data or source, or one macro of it."""

    body: bytes
    media_type: str
    status: int = 200
