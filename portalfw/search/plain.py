"""A page's source as people read it: its headings, its words without markup, the macros that it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from portalfw.wiki.calls import MacroCall
from portalfw.wiki.scan import Code, scan

LONGEST = 200_000  # characters of a page that can be found

FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+([^\n]+)$|^([^\s>*|-][^\n]*)\n(?:=+|-{2,})[ \t]*$", re.MULTILINE)
#: What is taken out of a text, in this order, and what stays of it. No pattern may run over the sign that begins it,
#: so that a page of nothing but these signs takes no longer than any other.
MARKUP = tuple(
    (re.compile(pattern, re.MULTILINE), stays)
    for pattern, stays in (
        (r"\$\{[^${}\n]*\}|\{%[^%\n]*%\}", " "),  # expressions and blocks
        (r"!?\[([^\[\]\n]*)\]\([^()\n]*\)", r"\1"),  # links and images
        (r"!?\[([^\[\]\n]+)\]\[[^\[\]\n]*\]", r"\1"),
        (r"^ {0,3}\[[^\[\]\n]+\]:[^\n]*$|\[\^[^\[\]\n]+\]:?", " "),  # references and footnotes
        (r"<(https?://[^<>\s]+)>", r"\1"),
        (r"</?[a-zA-Z][^<>\n]*>", " "),
        (r"\{:[^{}\n]*\}", " "),  # attributes
        (r"^[ \t:|-]+$", " "),  # rules, of tables too
        (r"^[ \t]*(?:[-*+]|\d{1,9}[.)]|>|:|!!!)[ \t]+(?:\[[ xX]\] )?", ""),  # lists, quotes, definitions, admonitions
        (r"\||\*{1,3}|~~|`+|(?<!\w)_{1,3}|_{1,3}(?!\w)", " "),  # cells and emphasis
        (r"\\([\\`*_{}\[\]()#+.!$-])", r"\1"),
    )
)


@dataclass(frozen=True)
class PlainText:
    """What of a page's text can be found."""

    headings: str
    text: str
    macros: tuple[str, ...]


def plain_text(body: str) -> PlainText:
    """Take the markup out of a page's text."""
    segments = scan(body[:LONGEST], 1)
    raw = "".join(_words(segments))
    headings: list[str] = []

    def heading(found: re.Match[str]) -> str:
        headings.append(_bare((found[1] or found[2]).rstrip("# \t")))
        return " "

    text = _bare(HEADING.sub(heading, raw))
    macros = sorted({one.name for one in segments if isinstance(one, MacroCall)})
    return PlainText(" · ".join(headings), text, tuple(macros))


def _words(segments: list[str | Code | MacroCall]) -> Iterator[str]:
    for segment in segments:
        if isinstance(segment, str):
            yield segment
        elif isinstance(segment, Code) and not segment.text.startswith("<!--"):
            yield FENCE.sub(" ", segment.text)


def _bare(text: str) -> str:
    for pattern, stays in MARKUP:
        text = pattern.sub(stays, text)
    return " ".join(text.split())
