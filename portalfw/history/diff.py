"""What changed between two texts, line by line, and within lines word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, Literal, TypedDict

CONTEXT: Final = 3  # lines around a change
WORD: Final = re.compile(r"\w+|\s+|[^\w\s]")
MOST_WORDS: Final = 400  # in one line; a longer one is marked as a whole
LIKE: Final = 0.4  # how alike two lines must be to be compared word by word
MOST_LINES: Final = 20_000

Opcode = tuple[str, int, int, int, int]


class Piece(TypedDict):
    """A part of a line."""

    text: str
    changed: bool


class Line(TypedDict):
    """A line, with its numbers in the old and the new text."""

    kind: Literal["same", "removed", "added"]
    old: int | None
    new: int | None
    text: str
    pieces: list[Piece]


class Hunk(TypedDict):
    """Lines that changed, and some around them; numbers count from 1."""

    oldStart: int
    oldLines: int
    newStart: int
    newLines: int
    lines: list[Line]


class Difference(TypedDict):
    """What changed between two texts."""

    added: int
    removed: int
    hunks: list[Hunk]


def difference(old: str, new: str) -> Difference:
    """Compare two texts; it may take a while for long ones, so run it in a thread."""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > MOST_LINES:
        before, after = before[:MOST_LINES], after[:MOST_LINES]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    hunks = [_hunk(before, after, group) for group in matcher.get_grouped_opcodes(CONTEXT)] if before != after else []
    kinds = [line["kind"] for hunk in hunks for line in hunk["lines"]]
    return {"added": kinds.count("added"), "removed": kinds.count("removed"), "hunks": hunks}


def _hunk(before: Sequence[str], after: Sequence[str], group: Sequence[Opcode]) -> Hunk:
    lines = [line for opcode in group for line in _lines(before, after, opcode)]
    first, last = group[0], group[-1]
    return {
        "oldStart": first[1] + 1,
        "oldLines": last[2] - first[1],
        "newStart": first[3] + 1,
        "newLines": last[4] - first[3],
        "lines": lines,
    }


def _lines(before: Sequence[str], after: Sequence[str], opcode: Opcode) -> Iterator[Line]:
    tag, old_from, old_to, new_from, new_to = opcode
    if tag == "equal":
        for number in range(old_to - old_from):
            yield _line("same", old_from + number + 1, new_from + number + 1, before[old_from + number])
        return
    pairs = min(old_to - old_from, new_to - new_from)
    compared = [_words(before[old_from + number], after[new_from + number]) for number in range(pairs)]
    for number in range(old_to - old_from):
        pieces = compared[number][0] if number < pairs else None
        yield _line("removed", old_from + number + 1, None, before[old_from + number], pieces)
    for number in range(new_to - new_from):
        pieces = compared[number][1] if number < pairs else None
        yield _line("added", None, new_from + number + 1, after[new_from + number], pieces)


def _line(
    kind: Literal["same", "removed", "added"],
    old: int | None,
    new: int | None,
    text: str,
    pieces: list[Piece] | None = None,
) -> Line:
    whole: list[Piece] = [{"text": text, "changed": kind != "same"}] if text else []
    return {"kind": kind, "old": old, "new": new, "text": text, "pieces": whole if pieces is None else pieces}


def _words(old: str, new: str) -> tuple[list[Piece] | None, list[Piece] | None]:
    """Return the pieces of two lines; None where they have too little in common."""
    before, after = WORD.findall(old), WORD.findall(new)
    if max(len(before), len(after)) > MOST_WORDS:
        return None, None
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < LIKE:
        return None, None
    opcodes = matcher.get_opcodes()
    return (
        _pieces(("".join(before[one[1] : one[2]]), one[0] != "equal") for one in opcodes),
        _pieces(("".join(after[one[3] : one[4]]), one[0] != "equal") for one in opcodes),
    )


def _pieces(found: Iterator[tuple[str, bool]]) -> list[Piece]:
    return [{"text": text, "changed": changed} for text, changed in found if text]
