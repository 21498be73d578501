"""The words of a macro call or a ``data:`` line: ``name key:value other:'quoted value' value key:${expression}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

KEY = re.compile(r"([A-Za-z_][\w-]*):(?!//)[ \t]?(?=\S)")
QUOTES = "'\""
END = "}}"


class WordError(ValueError):
    """A quote or an expression is not closed."""


@dataclass(frozen=True)
class Word:
    """One value, with its key if it has one."""

    key: str | None
    value: str


def read_words(text: str, position: int = 0, *, end: str = "") -> tuple[list[Word], int, bool]:
    """Read words up to the end of the line, or to ``end`` outside of quotes and expressions.

    :returns: the words, the position behind them, and whether ``end`` was found there (and skipped).
    :raises WordError: if a quote or ``${`` is not closed on its line.
    """
    words: list[Word] = []
    while position < len(text) and text[position] != "\n":
        if text[position] == "," or text[position].isspace():  # of any kind: values end at any
            position += 1
        elif end and text.startswith(end, position):
            return words, position + len(end), True
        else:
            word, position = _word(text, position, end)
            words.append(word)
    return words, position, False


def _word(text: str, position: int, end: str) -> tuple[Word, int]:
    found = KEY.match(text, position)
    key = found[1] if found else None
    value, position = _value(text, found.end() if found else position, end)
    return Word(key, value), position


def _value(text: str, position: int, end: str) -> tuple[str, int]:
    if text[position] in QUOTES:
        return _quoted(text, position)
    start = position
    while position < len(text) and not text[position].isspace():
        if (end and text.startswith(end, position)) or (
            text[position] == "," and text[position + 1 : position + 2].isspace()
        ):
            break
        position = expression_end(text, position) if text.startswith("${", position) else position + 1
    return text[start:position], position


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Read a quoted value; the quote itself is written twice inside. Expressions inside keep their own quotes."""
    quote, position, parts = text[start], start + 1, []
    while position < len(text) and text[position] != "\n":
        if text.startswith("${", position):
            behind = expression_end(text, position)
            parts.append(text[position:behind])
            position = behind
        elif text.startswith(quote * 2, position):
            parts.append(quote)
            position += 2
        elif text[position] == quote:
            return "".join(parts), position + 1
        else:
            parts.append(text[position])
            position += 1
    raise WordError(f"the quote {quote} is not closed")


def expression_end(text: str, start: int) -> int:
    """Return the position behind the ``}`` that closes the ``${`` at ``start``."""
    depth, quote, position = 0, "", start + 1
    while position < len(text) and text[position] != "\n":
        letter = text[position]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        else:
            depth += (letter == "{") - (letter == "}")
            if depth == 0:
                return position + 1
        position += 1
    raise WordError("an expression ${ is not closed")
