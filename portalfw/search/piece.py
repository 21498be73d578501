"""The piece of a text that a hit shows: where most of the words stand that were asked for.

SQLite's own ``snippet`` takes a whole page apart into words for each hit, which took longer than finding it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from portalfw.search.words import fold

BEFORE: Final = 4  # words of the piece that stand before the first that was asked for
SENTENCE: Final = 6  # words of it that may stand before that if a sentence begins there
WORDS: Final = 14  # words of the piece
NEAR: Final = 90  # letters within which words stand together
PLACES: Final = 50  # places of a word that are looked at
SPREAD: Final = 60 * WORDS  # letters that so many words hardly ever have
TOKEN: Final = re.compile(r"\S+")
SENTENCE_END: Final = re.compile(r"^\s*$|[.:!?]\s+$|\n\s*$")


def piece_of(text: str, words: Sequence[str]) -> str:
    """Return some words of a text around a place where folded words begin; empty if they stand nowhere."""
    folded = fold(text)
    places = sorted(place for word in words for place in islice(_places(folded, word), PLACES))
    if not places:
        return ""
    place = max(range(len(places)), key=lambda number: (_together(places, number), -number))
    return _cut(text, places[place][0])


def _places(folded: str, word: str) -> Iterator[tuple[int, str]]:
    """Yield where a word begins; a single letter is a word of its own, or all would begin so."""
    start = folded.find(word)
    while start >= 0:
        end = start + len(word)
        if not folded[start - 1 : start].isalnum() and (len(word) > 1 or not folded[end : end + 1].isalnum()):
            yield start, word
        start = folded.find(word, end)


def _together(places: Sequence[tuple[int, str]], number: int) -> int:
    """Return how many of the words stand behind a place, near enough to be shown with it."""
    first = places[number][0]
    near = {word for start, word in places[number : number + WORDS] if start - first < NEAR}
    return len(near)


def _cut(text: str, place: int) -> str:
    """Return words before and behind a place, with dots where the text goes on."""
    back = max(0, place - SPREAD)
    before = list(TOKEN.finditer(text, back, place))[-SENTENCE:]
    starts = [token.start() for token in before if SENTENCE_END.search(text[max(0, token.start() - 3) : token.start()])]
    start = starts[-1] if starts else next((token.start() for token in before[-BEFORE:]), place)
    tokens = list(islice(TOKEN.finditer(text, start), WORDS + 1))
    end = tokens[WORDS - 1].end() if len(tokens) > WORDS else len(text)
    head = "…" if text[:start].strip() else ""
    return head + text[start:end].strip() + ("…" if len(tokens) > WORDS else "")
