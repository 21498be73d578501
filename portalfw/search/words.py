"""What is asked for: a text taken apart into a kind, an id and words; and where words stand in what was found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 200  # characters of a question that count
MOST_WORDS = 8
SHORTEST_PART = 3  # letters of a part of a word that can be found: the index is one of three letters each
KIND = re.compile(r"([^\W\d][\w -]*?)\s*:\s*(.*)", re.DOTALL)
NUMBERED = re.compile(r"([^\W\d][\w -]*?)\s+#?(\d{1,15})")
ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
FOREIGN = re.compile(r"[^\x00-\x7f]")
MOST_ERRORS = 2
PEOPLE = ("user", "group")
PAGE = "page"


@dataclass(frozen=True)
class Question:
    """A question, understood. ``text`` is folded; ``only`` are the kinds that it is about, None for all."""

    text: str
    words: tuple[str, ...]
    only: frozenset[str] | None = None
    number: bool = False  # it names an id and nothing else
    near: bool = False  # typing errors are forgiven

    @property
    def parts(self) -> tuple[str, ...]:
        """The words that may stand within others; none if one of them is too short for that, or is a whole address."""
        short = any(len(word) < SHORTEST_PART for word in self.words)
        return () if short or ADDRESS.fullmatch(self.text) else self.words


def fold(text: str) -> str:
    """Return a text as it is compared: lower case, without accents, letter by letter, so that places stay."""
    return FOREIGN.sub(lambda letter: _folded(letter[0]), text).lower()


@lru_cache(4096)
def _folded(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter)[0].lower()[:1] or letter


def understand(text: str, kinds: Mapping[str, str]) -> Question:
    """Take a question apart.

    ``node: foo``, ``machine 12``, ``#12``, ``@alice`` and ``# runbook`` (pages) narrow it to kinds or to an id.

    :param kinds: the kinds that there are, by every name that people may give them, folded.
    """
    given = " ".join(text[:LONGEST].split())
    named = KIND.fullmatch(given)
    if named and fold(named[1]) in kinds:
        return _question(named[2], frozenset({kinds[fold(named[1])]}))
    if given.startswith("@"):
        return _question(given[1:], frozenset(PEOPLE))
    if given.startswith("#") and not given[1:].strip().isdecimal():
        return _question(given[1:], frozenset({PAGE}))
    numbered = NUMBERED.fullmatch(given)
    if numbered and fold(numbered[1]) in kinds:
        return _question(f"#{numbered[2]}", frozenset({kinds[fold(numbered[1])]}))
    return _question(given, None)


def _question(text: str, only: frozenset[str] | None) -> Question:
    folded = fold(text.strip())
    number = folded.startswith("#") and folded[1:].strip().isdecimal()
    if number:
        folded = f"#{folded[1:].strip()}"
    return Question(folded, tuple(folded.split()[:MOST_WORDS]), only, number)


def marked(text: str, words: Collection[str]) -> list[str]:
    """Cut a text where folded words stand in it: every second part, beginning with the second, is a match."""
    wanted = sorted((word for word in words if word), key=len, reverse=True)
    if not wanted:
        return [text]
    pattern = re.compile("|".join(re.escape(word) for word in wanted))
    parts, last = [], 0
    for found in pattern.finditer(fold(text)):
        parts += [text[last : found.start()], text[found.start() : found.end()]]
        last = found.end()
    return [*parts, text[last:]]


def errors_allowed(word: str) -> int:
    """Return how many typing errors a word may hold and still be understood: the longer, the more; a number none."""
    if not any(letter.isalpha() for letter in word):
        return 0
    return 0 if len(word) < 4 else 1 if len(word) < 8 else MOST_ERRORS  # noqa: PLR2004 - one from four letters, two from eight


def errors(first: str, second: str, most: int) -> int:
    """Return letters changed, added, left out or swapped with their neighbour; ``most + 1`` for more than ``most``."""
    if abs(len(first) - len(second)) > most or len(set(first) ^ set(second)) > 2 * most:
        return most + 1
    before: Sequence[int] = ()
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(second, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                best = min(best, last[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return row[-1]
