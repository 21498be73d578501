"""Cut a page's text into plain text, code and macro calls, so that nothing inside code is ever run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from portalfw.wiki.calls import MacroCall, read_call
from portalfw.wiki.words import WordError, expression_end

FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[^\n]*")
INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")
LISTED = re.compile(r" {0,3}(?:[-*+]|\d+[.)]|\[\^[^\]]+\]:|:|!!!)[ \t]")
MARK = re.compile(r"\\[\\{`$]|`+|<!--|\$\{|\{%|\{\{")
OPENINGS = ("${", "{%", "{{")  # a text without any of these says the same in code and out of it
MEANT = re.compile(r"\$\{|\{%|\A\{")  # code without these needs no protection from the expressions


@dataclass(frozen=True)
class Code:
    """Text that stays as it is: code blocks, code spans, comments, escaped marks."""

    text: str


Segment = str | Code | MacroCall


def scan(text: str, first_line: int) -> list[Segment]:
    """Return the segments of ``text``, whose first line is line ``first_line`` of its file."""
    if is_plain(text):
        return [text] if text else []
    segments: list[Segment] = []
    plain: list[str] = []
    for segment in _Scanner(text, first_line).run():
        words = segment.text if isinstance(segment, Code) and not MEANT.search(segment.text) else segment
        if isinstance(words, str):
            plain.append(words)
        else:
            segments += ["".join(plain), words]
            plain.clear()
    return [segment for segment in (*segments, "".join(plain)) if segment != ""]


def is_plain(text: str) -> bool:
    """Tell whether there is neither an expression nor a macro call in a text."""
    return not any(opening in text for opening in OPENINGS)


def spans(text: str) -> Iterator[tuple[int, int, Literal["text", "code", "call"]]]:
    """Yield where plain text, code and macro calls stand in ``text``; an unfinished call is text."""
    scanner = _Scanner(text, 1)
    start = 0
    for segment in scanner.run():
        kind: Literal["text", "code", "call"] = "text" if isinstance(segment, str) else "code"
        yield start, scanner.position, "call" if isinstance(segment, MacroCall) else kind
        start = scanner.position


class _Scanner:
    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self.first_line = first_line
        self.position = 0

    def run(self) -> Iterator[Segment]:
        listed = blank = False
        blank = True
        while self.position < len(self.text):
            line = self._line()
            if FENCE.match(line):
                yield Code(self._take(self._fence_end(line)))
                blank = False
            elif blank and not listed and INDENTED.match(line):
                yield Code(self._take(self._indented_end()))
            elif not line.strip():
                yield self._take(self._next_line(self.position))
                blank = True
            else:
                if not line.startswith((" ", "\t")) or LISTED.match(line):
                    listed = bool(LISTED.match(line))
                blank = False
                yield from self._paragraph_line()

    def _line(self) -> str:
        return self.text[self.position : self._next_line(self.position)].rstrip("\n")

    def _next_line(self, position: int) -> int:
        found = self.text.find("\n", position)
        return len(self.text) if found < 0 else found + 1

    def _take(self, end: int) -> str:
        taken, self.position = self.text[self.position : end], end
        return taken

    def _fence_end(self, line: str) -> int:
        found = FENCE.match(line)
        fence = found[1] if found else "```"
        close = re.compile(rf"^[ \t]*{re.escape(fence)}{re.escape(fence[0])}*[ \t]*$", re.MULTILINE)
        end = close.search(self.text, self._next_line(self.position))
        return self._next_line(end.end() - 1) if end else len(self.text)

    def _indented_end(self) -> int:
        position = self.position
        while position < len(self.text):
            line = self.text[position : self._next_line(position)]
            if line.strip() and not INDENTED.match(line):
                break
            position = self._next_line(position)
        return position

    def _paragraph_line(self) -> Iterator[Segment]:
        """Yield the segments of one line; code spans, comments and calls may take it over several lines."""
        while self.position < len(self.text):
            end = self._next_line(self.position)
            mark = MARK.search(self.text, self.position, end)
            if not mark:
                yield self._take(end)
                return
            yield self._take(mark.start())
            yield self._marked(mark[0])
            if self.text[self.position - 1] == "\n":
                return

    def _marked(self, mark: str) -> Segment:
        if mark.startswith("\\"):
            return Code(self._escaped())
        if mark == "<!--":
            end = self.text.find("-->", self.position)
            return Code(self._take(len(self.text) if end < 0 else end + 3))
        if mark in {"${", "{%"}:
            return self._take(self._expression_end(mark))
        if mark == "{{":
            read = read_call(self.text, self.position, self.first_line + self.text.count("\n", 0, self.position))
            if read:
                self.position = read[1]
                return read[0]
            return Code(self._take(self.position + 2))
        return Code(self._take(self._span_end(mark)))

    def _expression_end(self, mark: str) -> int:
        """Return the end of an expression or block, whose braces and quotes are its own."""
        if mark == "{%":
            end = self.text.find("%}", self.position)
            return self.position + 2 if end < 0 else end + 2
        try:
            return expression_end(self.text, self.position)
        except WordError:
            return self.position + 2

    def _escaped(self) -> str:
        """Return an escaped call or expression as the text it stands for; Markdown's own escapes as they are."""
        escaped = self._take(self.position + 2)
        if escaped == "\\$" and not self.text.startswith("{", self.position):
            return escaped
        if escaped in {"\\{", "\\$"} and self.text.startswith("{", self.position):
            return escaped[1] + self._take(self.position + 1)
        return escaped

    def _span_end(self, ticks: str) -> int:
        close = re.compile(rf"(?<!`){ticks}(?!`)|\n[ \t]*\n")
        found = close.search(self.text, self.position + len(ticks))
        return found.end() if found and found[0] == ticks else self.position + len(ticks)
