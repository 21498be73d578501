"""Links in the source of a page: found with their places, so that they can be counted and rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from portalfw.history.names import FILES, NAV
from portalfw.wiki.address import page_key
from portalfw.wiki.included import IMAGES
from portalfw.wiki.scan import spans
from portalfw.wiki.source import FRONT_MATTER
from portalfw.wiki.space import HOME

#: Behind the name may stand a query whose values are expressions of any kind.
QUERY: Final = r"[?#](?:\$\{[^}\n]*\}|\([^()\n]*\)|[^()<>\n\"'$]|\$(?!\{))*"
TARGET: Final = rf"<?([^()<>\n\"'?#]*(?:\([^()\n]*\)[^()<>\n\"'?#]*)*(?:{QUERY})?)>?"
#: Where Markdown has addresses: behind ](, behind [name]: and in attributes of HTML.
MARKDOWN: Final = (
    re.compile(rf"\]\(\s*{TARGET}(?:\s+[\"'][^\n]*?[\"'])?\s*\)"),
    re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]*<?([^\s<>]+)>?", re.MULTILINE),
    re.compile(r"\b(?:href|src)\s*=\s*\"([^\"\n]*)\""),
)
QUOTED: Final = r"(?:'([^'\n]*)'|\"([^\"\n]*)\"|([^\s'\"{},>\]][^'\"{},>\]\n]*?))(?=\s*(?:$|[,}\]'\"?#]|\s[\w-]+:))"
#: An argument's name begins a line or a mapping, or follows a blank and is followed by none: "Assigned to: x" has none.
ARGUMENT: Final = r"(?:^[ \t]*(?:-[ \t]+)?|[{,][ \t]*|[ \t](?=[\w]+:\S))"
#: Where macro calls have pages: arguments of these names, behind an arrow, and what macros about pages begin with.
MACRO: Final = (
    re.compile(rf"{ARGUMENT}(?:link|goto|page|more|to|href)[ \t]*:[ \t]*(?!.*->){QUOTED}", re.MULTILINE),
    re.compile(r"->\s*([^'\"\n{},?#\]]+?)(?=\s*(?:$|[,}\]'\"?#]))", re.MULTILINE),
    re.compile(rf"\A\{{\{{\s*(?:include|children|backlinks):?\s+(?!\w+\s*:){QUOTED}"),
)
PARAMS: Final = re.compile(r"^params:[ \t]*\n(?:[ \t]+.*\n)*", re.MULTILINE)
PARENT: Final = re.compile(r"^parent:[ \t]*(.*\n(?:[ \t]+.*\n)*)", re.MULTILINE)
PARENT_LINE: Final = re.compile(r"(?:\A|:)[ \t]*['\"]?([^'\"\n:{}?#]+?)(?=['\"]?[ \t]*(?:\n|[?#,}]))")
INCLUDE: Final = re.compile(r"\{\{\s*include\b")
SPACE: Final = re.compile(r"\bspace\s*:\s*['\"]?([\w-]+)")
REFERENCE: Final = re.compile(r"\]:[ \t]*\Z")
OUTSIDE: Final = re.compile(r"[a-zA-Z][\w+.-]*:|//|[#?]|\Z")
DYNAMIC: Final = re.compile(r"\$\{|\{")
TWIN: Final = re.compile(r"\.(?:md|json)\Z", re.IGNORECASE)
Place = tuple[int, int, str, str | None]  # start, end, what stands there, and the space that an include names


@dataclass(frozen=True)
class Link:
    """A link: the page it leads to, or the file, and where its name stands in the source."""

    space: str
    key: str  # of the page; the path of a file
    start: int
    end: int
    name: str  # as written
    file: bool = False
    included: bool = False  # an argument of include, which names a space in another argument

    @property
    def page(self) -> tuple[str, str]:
        """Space and key of the page."""
        return self.space, self.key


def links(space: str, name: str, text: str) -> list[Link]:
    """Return the links of a page, in the order of the source; what an expression makes up is not known."""
    found = {
        link.start: link
        for start, end, target, of_space in _targets(space, name, text)
        for link in _link(of_space or space, target, start, end, included=of_space is not None)
    }
    return [found[start] for start in sorted(found)]


def rewritten(text: str, found: Sequence[Link], new: Callable[[Link], tuple[str, str] | None], here: str) -> str:
    """Return a text with links changed: ``new`` tells space and name of where a link leads now, or None.

    :param here: the space of the page, whose own pages need no space in a link.
    """
    for link in sorted(found, key=lambda one: one.start, reverse=True):
        to = new(link)
        if to is not None:
            reference = REFERENCE.search(text, text.rfind("\n", 0, link.start) + 1, link.start)
            words = _written(text[link.start : link.end], link, to, here, tight=bool(reference))
            text = text[: link.start] + words + text[link.end :]
    return text


def _written(old: str, link: Link, to: tuple[str, str], here: str, *, tight: bool) -> str:
    """Return how a link is written that leads elsewhere now.

    Folders and the ending ``.md`` stay: without them other viewers of plain Markdown would not find the page.
    """
    space, name = to
    absolute = old.startswith("/")
    head, slash, last = old.rpartition("/")
    ending = TWIN.search(last)
    words = quote(name, safe="/,()'&+!") if tight or "%" in old or ending else name
    named = page_key(unquote(TWIN.sub("", last))) == link.key
    if not link.file and named and space == link.space and (absolute or space == here):
        return f"{head}{slash}{words}{ending[0] if ending else ''}"
    return f"/{space}/{words}" if absolute or space != here else words


def _targets(space: str, name: str, text: str) -> Iterator[Place]:
    """Yield what stands where links stand."""
    if page_key(name) == NAV:
        yield from _matches(MARKDOWN, text, 0)
        return
    front = FRONT_MATTER.match(text)
    body = front.end() if front else 0
    if front:
        head = PARAMS.sub(lambda found: " " * len(found[0]), text[:body])  # the types of arguments name no page
        yield from _matches((*MARKDOWN, *MACRO), head, 0)
        yield from _parents(head)
    plain: list[str] = []
    for start, end, kind in spans(text[body:]):
        piece = text[body + start : body + end]
        plain.append(piece if kind == "text" else " " * len(piece))
        if kind == "call":
            yield from _matches(MARKDOWN, piece, body + start)
            yield from _matches(MACRO, piece, body + start, _included_from(piece, space))
    yield from _matches(MARKDOWN, "".join(plain), body)


def _included_from(call: str, space: str) -> str | None:
    if not INCLUDE.match(call):
        return None
    named = SPACE.search(call)
    return named[1].lower() if named else space


def _matches(patterns: Sequence[re.Pattern[str]], text: str, offset: int, space: str | None = None) -> Iterator[Place]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            group = found.lastindex or 1
            yield offset + found.start(group), offset + found.end(group), found[group], space


def _parents(front: str) -> Iterator[Place]:
    block = PARENT.search(front)
    if block:
        yield from _matches([PARENT_LINE], block[1], block.start(1))


def _link(space: str, target: str, start: int, end: int, *, included: bool) -> Iterator[Link]:
    """Yield the link that a target is, if it leads to a page or a file of a space."""
    plain = re.split(r"[?#]", target, maxsplit=1)[0].rstrip()
    if OUTSIDE.match(target) or DYNAMIC.search(plain) or not plain:
        return
    end = start + len(plain)
    parts = [unquote(part) for part in plain.split("/") if part]
    if plain.startswith("/"):
        space, parts = (parts[0].lower(), parts[1:]) if parts else ("", [])
    if not space:
        return
    if parts[:1] == [FILES]:
        yield Link(space, "/".join(parts), start, end, parts[-1], file=True)
    elif plain.lower().endswith(tuple(IMAGES)):
        return  # an image beside the text, as plain Markdown has them
    elif not plain.startswith("/") or parts or plain.count("/") <= 2:  # noqa: PLR2004 - a space's own address
        name = TWIN.sub("", parts[-1]) if parts else HOME
        yield Link(space, page_key(name), start, end, name, included=included)
