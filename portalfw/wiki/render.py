"""From a page and a viewer to HTML."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from portalfw.wiki.block import Block
from portalfw.wiki.context import Place
from portalfw.wiki.expressions import Text
from portalfw.wiki.layout import Layout
from portalfw.wiki.markup import PLACE, Converter, Heading, Html, Slot, fill
from portalfw.wiki.record import PlacedCall, PlacedValue, Recorder
from portalfw.wiki.runner import Runner
from portalfw.wiki.settings import Limits

LATE = "_late"  # the query parameter of a macro that had not answered in time
WRAPPER = Markup(
    '<{0} class="macro" id="macro-{1}" data-version="{6}" data-topics="{2}" hx-get="{3}" '
    'hx-trigger="portal:refresh" hx-swap="outerHTML"{5}>{4}</{0}>'
)


@dataclass(frozen=True)
class Draft:
    """A text of a page after its expressions ran: Markdown with placeholders, and what they stand for."""

    html: Html
    recorder: Recorder

    @property
    def calls(self) -> list[PlacedCall]:
        """The macro calls that have a place in the HTML."""
        placed = {part.index for part in self.html.parts if isinstance(part, Slot) and part.kind == "call"}
        return [call for index, call in enumerate(self.recorder.calls) if index in placed and not Layout.knows(call)]


@dataclass(frozen=True)
class Rendered:
    """Finished HTML."""

    html: Markup
    headings: Sequence[Heading]
    topics: frozenset[str]


class Renderer:
    """Renders the texts of pages."""

    def __init__(self, runner: Runner, limits: Limits) -> None:
        """Run macros with ``runner``."""
        self.runner = runner
        self._limits = limits
        self._converter = Converter(keep=limits.markdown_cache, offload_from=limits.offload_characters)

    def draft(self, text: Text, place: Place, values: Mapping[str, Any], *, prefix: str = "") -> Draft:
        """Run a text's expressions and convert its Markdown.

        :raises PageSyntaxError: if an expression fails, naming the line.
        """
        recorder = Recorder(text, self.runner.templates.value, prefix=prefix, steps=self._limits.loop_steps)
        markdown = text.run(values, recorder, limit=self._limits.page_characters)
        return Draft(self._converter.convert(markdown, place.page.base, place.page.place), recorder)

    def render(self, drafts: Sequence[Draft], place: Place) -> list[Rendered]:
        """Run the macros of all drafts side by side and put the results in place."""
        calls = [call for draft in drafts for call in draft.calls]
        answers = self.runner.run(calls, _with_headings(place, drafts)) if calls else []
        blocks = dict(zip((call.key for call in calls), answers, strict=True))
        return [self._assemble(draft, blocks, place) for draft in drafts]

    def render_one(self, draft: Draft, key: str, place: Place) -> Markup | None:
        """Run one macro call of a draft and return it in its wrapper; None if the draft has no such call."""
        for index, call in enumerate(draft.recorder.calls):
            if call.key == key and not Layout.knows(call):
                lone = any(isinstance(part, Slot) and part == Slot("call", index, "block") for part in draft.html.parts)
                block = self.runner.run_alone(call, _with_headings(place, [draft]))
                return wrapper(key, block, place, block_level=lone)
        return None

    def _assemble(self, draft: Draft, blocks: Mapping[str, Block], place: Place) -> Rendered:
        layout = Layout()
        parts = list(_fill(draft, blocks, place, layout))
        topics = frozenset[str]().union(
            *(blocks[call.key].topics for call in draft.recorder.calls if call.key in blocks)
        )
        html = Markup("".join([*parts, layout.close()]))  # noqa: S704 - cleaned Markdown, escaped values, macros' own HTML
        return Rendered(html, draft.html.headings, topics)


def _with_headings(place: Place, drafts: Sequence[Draft]) -> Place:
    """Let macros see the headings of the page, with the values in them."""
    headings = []
    for draft in drafts:
        values = draft.recorder.values
        for heading in draft.html.headings:
            name = PLACE.sub(lambda found: _raw(values, found), heading.name)  # noqa: B023 - used at once
            anchor = PLACE.sub(lambda found: fill(_raw(values, found), "anchor"), heading.anchor)  # noqa: B023 - used at once
            headings.append(Heading(heading.level, anchor, name))
    return replace(place, headings=tuple(headings))


def _raw(values: Sequence[PlacedValue], found: re.Match[str]) -> str:
    return values[int(found[2])].raw if found[1] == "v" else ""


def _fill(draft: Draft, blocks: Mapping[str, Block], place: Place, layout: Layout) -> Iterator[str]:
    for part in draft.html.parts:
        if isinstance(part, str):
            yield part
        elif part.kind == "value":
            yield _value(draft.recorder.values, part)
        elif part.index < len(draft.recorder.calls):
            call = draft.recorder.calls[part.index]
            known = Layout.knows(call)
            yield (
                layout.place(call)
                if known
                else wrapper(call.key, blocks[call.key], place, block_level=part.where == "block")
            )


def _value(values: Sequence[PlacedValue], slot: Slot) -> str:
    if slot.index >= len(values):
        return ""
    value = values[slot.index]
    return str(value.html) if slot.where in {"text", "block"} else fill(value.raw, slot.where)


def wrapper(key: str, block: Block, place: Place, *, block_level: bool = True) -> Markup:
    """Return the element that the browser refreshes when one of the block's topics changes."""
    name = "div" if block_level else "span"
    if place.depth:  # within an included page: the including macro refreshes
        return Markup("<{0}>{1}</{0}>").format(name, block.html)
    late = {LATE: 1} if block.late else {}
    mark = Markup(" data-late") if block.late else ""
    topics = " ".join(sorted(block.topics))
    version = hashlib.blake2b(f"{topics} {block.html}".encode(), digest_size=8).hexdigest()
    return WRAPPER.format(name, key, topics, place.address(_macro=key, **late), block.html, mark, version)
