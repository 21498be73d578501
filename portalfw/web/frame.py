"""The typed face of the page frame: what a page, the sign-in form and an error page need to be shown.

``render_frame(Frame(...))`` gives the whole HTML document. The templates stand on their own and need no Flask
application.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, Template, select_autoescape
from markupsafe import Markup

from portalfw.web.assets import asset

Theme = Literal["auto", "light", "dark"]


@dataclass(frozen=True)
class NavItem:
    """A link in the sidebar. ``icon`` is a name of bootstrap-icons; without one the link is indented."""

    label: str
    href: str
    icon: str | None = None
    active: bool = False
    count: int | str | None = None


@dataclass(frozen=True)
class NavGroup:
    """Links that belong together; the first group of a portal usually has no title."""

    title: str | None
    items: Sequence[NavItem]


@dataclass(frozen=True)
class PortalLink:
    """A portal in the switch at the top of the sidebar."""

    label: str
    href: str
    icon: str | None = None
    active: bool = False


@dataclass(frozen=True)
class Viewer:
    """The signed-in user as the frame shows him."""

    name: str
    initials: str


@dataclass(frozen=True)
class Tool:
    """A quiet link at the right end of the sheet bar, such as "Edit"; the first is shown with its word."""

    label: str
    href: str
    icon: str
    shortcut: str = ""  # a single key


@dataclass(frozen=True)
class HealthMark:
    """The dot that tells operators how the platform is: the state, how many findings need somebody, and their page."""

    state: Literal["OK", "WARNING", "ERROR"]
    troubles: int
    href: str


@dataclass(frozen=True)
class PageHead:
    """Title line of a page: a pill that names the state, one grey line of facts, actions at the right."""

    title: str
    sub: str | Markup | None = None
    state: Markup | None = None
    actions: Markup | None = None


@dataclass(frozen=True)
class PageView:
    """A rendered wiki page. Without ``head`` and an ``<h1>`` in ``html`` the frame shows ``title`` as the heading."""

    title: str
    html: Markup
    path: str
    breadcrumbs: Sequence[tuple[str, str]] = ()
    revision: str = ""
    head: PageHead | None = None
    layout: Literal["wide", "prose"] | None = None
    tools: Sequence[Tool] = ()
    menu: Markup = field(default_factory=Markup)  # behind the tools
    topic: str = ""  # on which changes of its text are told
    address: str = ""  # with its query, for drawing the text anew


@dataclass(frozen=True)
class Frame:
    """Everything around a page. ``render_ms`` is shown in the foot; ``since`` is where the page's changes begin."""

    page: PageView
    nav: Sequence[NavGroup] = ()
    portals: Sequence[PortalLink] = ()
    user: Viewer | None = None
    theme: Theme = "auto"
    render_ms: float | None = None
    since: str = ""
    health: HealthMark | None = None
    logo: str = ""


@dataclass(frozen=True)
class Back:
    """The way out of an error page or a card."""

    label: str = "Go to the start page"
    href: str = "/"


@dataclass(frozen=True)
class Fault:
    """Why a page cannot be shown: HTTP status, a title, a sentence that says what to do, and the id to find it by."""

    status: int
    title: str
    message: str
    id: str | None = None
    back: Back | None = field(default_factory=Back)


@dataclass(frozen=True)
class PasskeyOffer:
    """Where passkeys work: pages of ``origin``. ``problem`` says why they do not here, ``better`` where they do."""

    origin: str
    problem: str = ""
    better: str = ""


@dataclass(frozen=True)
class Way:
    """Another way to sign in: a provider. ``problem`` says that it cannot be used now."""

    label: str
    href: str
    problem: str | None = None


@dataclass(frozen=True)
class SignIn:
    """The sign-in form, and ``ways`` beside it. ``hint`` tells in small text where the first password lies."""

    title: str
    next: str = "/"
    name: str = ""
    error: str | None = None
    hint: str | None = None
    passkey: PasskeyOffer | None = None
    ways: Sequence[Way] = ()
    theme: Theme = "auto"


@dataclass(frozen=True)
class SecondStep:
    """The form that asks for the second factor of ``name``: a code, or one of its recovery codes."""

    title: str
    name: str
    next: str = "/"
    recovery: bool = False
    error: str | None = None
    theme: Theme = "auto"


@dataclass(frozen=True)
class Field:
    """An input of a :class:`Card`."""

    name: str
    label: str
    type: Literal["text", "password", "checkbox", "hidden", "file"] = "text"
    value: str = ""
    help: str = ""
    required: bool = False
    autocomplete: str = "off"
    inputmode: str = "text"


@dataclass(frozen=True)
class Card:
    """A small page of its own about a credential: a form, or secrets that are shown this once.

    ``image`` is a ``data:`` address; ``secrets`` can be copied; ``link`` is what to do next, ``back`` leads away.
    """

    title: str
    text: str = ""
    action: str = ""
    submit: str = ""
    fields: Sequence[Field] = ()
    secrets: Sequence[str] = ()
    image: str | None = None
    error: str | None = None
    link: Back | None = None
    back: Back = field(default_factory=Back)
    theme: Theme = "auto"


@dataclass(frozen=True)
class NewPasskey:
    """The page on which a passkey is added; who has signed in lately need not type the password again."""

    passkey: PasskeyOffer
    ask_password: bool = True
    theme: Theme = "auto"


def render_frame(frame: Frame) -> str:
    """Return the HTML document of a wiki page."""
    return _template("frame.html").render(vars(frame))


def render_in(template: str, frame: Frame, **values: object) -> str:
    """Return the HTML document of another template in the frame."""
    return _template(template).render(vars(frame), **values)


def render_part(template: str, **values: object) -> Markup:
    """Return a part of a page."""
    return Markup(_template(template).render(values))  # noqa: S704 - made by an autoescaping template


def render_error(frame: Frame, fault: Fault) -> str:
    """Return the HTML document that says why a page cannot be shown, in the frame of the portal."""
    return _template("error.html").render(vars(frame), error=fault)


def render_login(form: SignIn) -> str:
    """Return the HTML document of the sign-in form."""
    return _template("login.html").render(vars(form))


def render_second_step(form: SecondStep) -> str:
    """Return the HTML document that asks for a second factor."""
    return _template("second_factor.html").render(vars(form))


def render_new_passkey(form: NewPasskey) -> str:
    """Return the HTML document on which a passkey is added."""
    return _template("new_passkey.html").render(vars(form))


def render_card(card: Card) -> str:
    """Return the HTML document of a card."""
    return _template("card.html").render(vars(card))


def initials(name: str) -> str:
    """Return up to two letters that stand for a user: "Mira Olsen" and "mira.olsen" give "MO", "admin" gives "A"."""
    words = name.replace(".", " ").replace("-", " ").replace("_", " ").split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("portalfw.web"), autoescape=select_autoescape())
    environment.globals["asset"] = asset
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(name)
