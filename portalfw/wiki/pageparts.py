"""The parts of one page for one viewer: head and body, rendered together, or one macro alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from portalfw.errors import NotFoundError
from portalfw.wiki.block import Block
from portalfw.wiki.context import Place
from portalfw.wiki.expressions import Text
from portalfw.wiki.page import Page
from portalfw.wiki.render import Draft, Renderer, wrapper
from portalfw.wiki.views import Head

STATE = "head-state"
SUB = "head-sub"
PREFIXES = {"sub": "sub--", "actions": "act--"}
PARAGRAPH = "<p>", "</p>"


@dataclass(frozen=True)
class WholePage:
    """Head and body, finished."""

    html: Markup
    head: Head | None
    topics: frozenset[str]


class PageParts:
    """Renders what is asked of a page."""

    def __init__(self, renderer: Renderer, page: Page, place: Place, values: Mapping[str, Any]) -> None:
        """Take the page with its variables."""
        self.renderer = renderer
        self.page = page
        self.place = place
        self.values = values

    @property
    def layout(self) -> Literal["wide", "prose"]:
        """Whether the page is text to read, or wide; the front matter may say."""
        given = self.page.source.meta.get("layout")
        if given in {"wide", "prose"}:
            return "wide" if given == "wide" else "prose"
        return "wide" if self.page.body.call_names else "prose"

    def all(self, title: str) -> WholePage:
        """Render the page; all macros of head and body run side by side.

        :raises PageSyntaxError: if an expression fails.
        """
        texts = {"body": self.page.body, "sub": self.page.sub, "actions": self.page.actions}
        drafts = {name: self._draft(name, text) for name, text in texts.items() if text is not None}
        rendered = dict(zip(drafts, self.renderer.render(list(drafts.values()), self.place), strict=True))
        sub = rendered.get("sub")
        head = Head(
            title,
            self._sub(sub.html) if sub else None,
            self._state(),
            _inline(rendered["actions"].html) if "actions" in rendered else None,
        )
        topics = frozenset[str]().union(*(part.topics for part in rendered.values()))
        return WholePage(
            rendered["body"].html, head, topics | self.place.data.topics_of(frozenset(self.place.data.values))
        )

    def one(self, key: str) -> str:
        """Render one macro, or the state or sub line of the head, in its wrapper.

        :raises NotFoundError: if the page has no such part now.
        """
        if key == STATE:
            return self._state() or Markup()
        name = next((name for name, prefix in PREFIXES.items() if key.startswith(prefix)), "body")
        name = "sub" if key == SUB else name
        text = getattr(self.page, name)
        draft = self._draft(name, text) if text else None
        if key == SUB and draft:
            return self._sub(self.renderer.render([draft], self.place)[0].html)
        found = self.renderer.render_one(draft, key, self.place) if draft else None
        if found is None:
            raise NotFoundError(f"The page {self.page.name} has no macro {key} now.")
        return found

    def _draft(self, name: str, text: Text) -> Draft:
        return self.renderer.draft(text, self.place, self.values, prefix=PREFIXES.get(name, ""))

    def _state(self) -> Markup | None:
        state = self.page.state.run(self.values)
        if state is None or state == "":
            return None
        return self._live(STATE, self.renderer.runner.templates.pill(state), self.page.state.names)

    def _sub(self, html: Markup) -> Markup:
        return self._live(SUB, _inline(html), self.page.sub.names if self.page.sub else frozenset())

    def _live(self, key: str, html: Markup, names: frozenset[str]) -> Markup:
        return wrapper(key, Block(html, self.place.data.topics_of(names)), self.place, block_level=False)


def _inline(html: Markup) -> Markup:
    """Return a text of one paragraph without the paragraph."""
    stripped = str(html).strip()
    start, end = PARAGRAPH
    if stripped.startswith(start) and stripped.endswith(end) and stripped.count(start) == 1:
        stripped = stripped[len(start) : -len(end)]
    return Markup(stripped)  # noqa: S704 - a part of what was already safe
