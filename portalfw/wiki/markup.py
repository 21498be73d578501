"""Markdown to safe HTML, cut into parts where values and macro output go. Cached by content."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Any, Literal
from urllib.parse import quote

import nh3

from portalfw.offload import offload
from portalfw.wiki.address import relative_address
from portalfw.wiki.code import colour
from portalfw.wiki.dialect import PageMarkdown
from portalfw.wiki.expressions import SECRET

TAGS = nh3.ALLOWED_TAGS | {"input", "section", "meter", "progress"}
ATTRIBUTES: Mapping[str, set[str]] = {
    **nh3.ALLOWED_ATTRIBUTES,
    "*": {"class", "id", "title", "lang", "dir", "role", "aria-label", "aria-hidden"},
    "a": {"href", "hreflang"},
    "meter": {"min", "max", "low", "high", "optimum", "value"},
    "progress": {"max", "value"},
    "time": {"datetime"},
    "details": {"open"},
    "td": {"align", "colspan", "rowspan", "headers"},
    "th": {"align", "colspan", "rowspan", "headers", "scope"},
}
SCHEMES = {"http", "https", "mailto", "tel"}

PLACE = re.compile(rf"{SECRET}([cv])(\d+)z", re.IGNORECASE)
PLACE_IN_TEXT = re.compile(rf"{SECRET}([cvb])(\d+)z")
LONE_LINE = re.compile(rf"^([ \t]*)((?:{SECRET}c\d+z[ \t]*)+)$", re.MULTILINE)
MIXED_PARAGRAPH = re.compile(rf"<p>((?:(?!</p>).)*?{SECRET}c\d+z.*?)</p>", re.DOTALL)
LONE_PARAGRAPH = re.compile(rf"<p>\s*((?:{SECRET}c\d+z\s*)+)</p>")
TAG = re.compile(r'<[a-zA-Z/](?:"[^"]*"|[^">])*>')
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
ALERT = re.compile(
    r"<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:<br>)?\s*(</p>)?((?:(?!</?blockquote).)*)</blockquote>",
    re.DOTALL,
)
TASK = re.compile(r"<li>(\s*(?:<p>)?)\[([ xX])\] ")
RELATIVE = re.compile(r"(?![a-zA-Z][\w+.-]*:|[/#?])")
INTERESTING = re.compile(rf" (?:href|src|cite)=|{SECRET}", re.IGNORECASE)  # tags without these stay as they are
ADDRESSES = frozenset({"href", "src", "cite"})

Where = Literal["text", "block", "attribute", "address", "address-start", "anchor"]


@dataclass(frozen=True)
class Slot:
    """A place in the HTML where a value or a macro's output goes."""

    kind: Literal["value", "call"]
    index: int
    where: Where


@dataclass(frozen=True)
class Heading:
    """A heading, for tables of contents; ``name`` may hold placeholders."""

    level: int
    anchor: str
    name: str


@dataclass(frozen=True)
class Html:
    """A converted text: literal HTML and slots, in order."""

    parts: Sequence[str | Slot]
    headings: Sequence[Heading]


class Converter:
    """Converts Markdown, keeping the last results by content."""

    def __init__(self, *, keep: int, offload_from: int) -> None:
        """Keep ``keep`` results; convert texts of ``offload_from`` characters and more in a thread."""
        self._keep = keep
        self._offload_from = offload_from
        self._cache: OrderedDict[bytes, Html] = OrderedDict()
        self._idle: deque[PageMarkdown] = deque(maxlen=4)

    def convert(self, text: str, base: str, place: str = ".") -> Html:
        """Return the HTML of ``text``; relative addresses in it are below ``base``.

        :param place: the folder within the space in which the text lies; relative images begin there.
        """
        key = hashlib.blake2b(f"{base}\0{place}\0{text}".encode("utf-8", "replace"), digest_size=16).digest()
        html = self._cache.get(key)
        if html is None:
            long = len(text) >= self._offload_from
            html = offload(self._convert, text, base, place) if long else self._convert(text, base, place)
            self._cache[key] = html
            while len(self._cache) > self._keep:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return html

    def _convert(self, text: str, base: str, place: str) -> Html:
        try:
            markdown = self._idle.pop()
        except IndexError:
            markdown = PageMarkdown()
        raw = markdown.convert(LONE_LINE.sub(r"\n\n\1\2\n\n", text))
        headings = [_heading(token) for token in _flat(getattr(markdown, "toc_tokens", []))]
        self._idle.append(markdown.reset())
        clean = nh3.clean(
            raw, tags=TAGS, attributes=dict(ATTRIBUTES), url_schemes=SCHEMES, link_rel="noopener noreferrer"
        )
        clean = LONE_PARAGRAPH.sub(_block, clean)
        clean = MIXED_PARAGRAPH.sub(r'<div class="p">\1</div>', clean)  # macros may give blocks, which no <p> may hold
        clean = colour(ALERT.sub(_alert, TASK.sub(_task, clean)))
        return Html(list(_merged(_parts(clean, base, place))), headings)


def _flat(tokens: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for token in tokens:
        yield token
        yield from _flat(token["children"])


def _heading(token: Mapping[str, Any]) -> Heading:
    return Heading(int(token["level"]), str(token["id"]), unescape(str(token["name"])))


def _task(found: re.Match[str]) -> str:
    checked, word = (" checked", "Done") if found[2].strip() else ("", "To do")
    box = f'<input type="checkbox" class="form-check-input" aria-label="{word}" disabled{checked}>'
    return f'<li class="task">{found[1]}{box} '


def _alert(found: re.Match[str]) -> str:
    """Make a quote that begins with ``[!NOTE]`` a remark, as GitHub does."""
    kind, rest = found[1].lower(), "" if found[2] else "<p>"
    return f'<div class="admonition {kind}"><p class="admonition-title">{kind.capitalize()}</p>{rest}{found[3]}</div>'


def _block(found: re.Match[str]) -> str:
    """Lift macro calls that are alone in their paragraph out of it."""
    return PLACE.sub(lambda place: f"{SECRET}b{place[2]}z", found[1])


def _parts(html: str, base: str, place: str) -> Iterator[str | Slot]:
    position = 0
    for tag in TAG.finditer(html):
        if INTERESTING.search(tag[0]):
            yield from _text(html[position : tag.start()])
            yield from _tag(tag[0], base, place)
            position = tag.end()
    yield from _text(html[position:])


def _text(html: str) -> Iterator[str | Slot]:
    position = 0
    for place in PLACE_IN_TEXT.finditer(html) if SECRET in html else ():
        yield html[position : place.start()]
        kind, index = place[1], int(place[2])
        yield Slot("value" if kind == "v" else "call", index, "block" if kind == "b" else "text")
        position = place.end()
    yield html[position:]


def _tag(tag: str, base: str, place: str) -> Iterator[str | Slot]:
    position = 0
    for found in ATTRIBUTE.finditer(tag):
        yield tag[position : found.start(2)]
        name, value = found[1].lower(), found[2]
        if name in ADDRESSES and value and not PLACE.match(value) and RELATIVE.match(value):
            value = escape(base + relative_address(quote(unescape(value), safe="/?&=#%+,;@:!~*'()"), place))
        yield from _attribute(name, value)
        position = found.end(2)
    yield tag[position:]


def _attribute(name: str, value: str) -> Iterator[str | Slot]:
    """Yield an attribute's value; macro output has no place in it."""
    position = 0
    for place in PLACE.finditer(value):
        yield value[position : place.start()]
        if place[1].lower() == "v":
            yield Slot("value", int(place[2]), _where(name, value, place.start()))
        position = place.end()
    yield value[position:]


def _where(name: str, value: str, start: int) -> Where:
    if name == "id" or (name in ADDRESSES and value.startswith("#")):
        return "anchor"
    if name not in ADDRESSES:
        return "attribute"
    return "address-start" if start == 0 else "address"


def _merged(parts: Iterator[str | Slot]) -> Iterator[str | Slot]:
    text: list[str] = []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        else:
            yield "".join(text)
            text.clear()
            yield part
    yield "".join(text)


def fill(value: str, where: Where) -> str:
    """Return a raw value as it may stand in an attribute."""
    if where == "anchor":
        return re.sub(r"[^\w-]+", "-", value).strip("-").lower()
    if where == "address":
        return quote(value, safe="")
    if where == "address-start":
        return escape(safe_address(value))
    return escape(value)


def safe_address(value: str) -> str:
    """Return an address that a link may lead to: of this site, http, https, mailto or tel; else ``#``."""
    address = quote(value.strip(), safe="/?&=#%+,;@:!~*'()[]")
    scheme, colon, _ = address.partition(":")
    if not colon or any(mark in scheme for mark in "/?#"):
        return address
    return address if scheme.lower() in SCHEMES else "#"
