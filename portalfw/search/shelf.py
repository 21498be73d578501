"""One kind of thing in the index: its tables, and the ways of finding in them, the surest first."""

# ruff: noqa: S608 - what is put into statements are names of tables, which are our own; values are always bound

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import orjson

from portalfw.search.piece import piece_of
from portalfw.search.words import MOST_ERRORS, Question, errors, errors_allowed, fold

WORD = re.compile(r"[^\W_]+")
LAST = "\U0010ffff"  # sorts behind every text that begins the same
LIKE = 5000  # words that are looked at for a typing error
NEAR = 200  # things that have such words, to take the nearest of
WEIGHTS = "10.0, 4.0, 1.0, 1.0"  # of a word in title, headings, text and surroundings

TABLES = """
CREATE TABLE {0} (id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, title TEXT NOT NULL, scope TEXT NOT NULL,
                  data BLOB NOT NULL, stamp INTEGER NOT NULL);
CREATE INDEX {0}_title ON {0} (title);
CREATE TABLE {0}_key (key TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (key, id)) WITHOUT ROWID;
CREATE INDEX {0}_owner ON {0}_key (id);
CREATE VIRTUAL TABLE {0}_words USING fts5(title, heading, text, also, prefix='2 3',
                                          tokenize='unicode61 remove_diacritics 2');
CREATE TABLE {0}_term (term TEXT PRIMARY KEY, titles INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE {0}_parts USING fts5(names, tokenize='trigram');
"""


class Tier(IntEnum):
    """How something was found; what was found by an earlier one stands before."""

    EXACT = 0
    BEGINNING = 1
    TITLE = 2
    PART = 3
    TEXT = 4
    NEAR = 5


class Entry(NamedTuple):
    """What is kept of one thing."""

    ref: str  # names it within its kind
    title: str
    keys: tuple[str, ...]  # folded: found by the whole (ids begin with #) or the beginning
    heading: str
    text: str
    also: str  # words that it is found by beside others and that are never shown: its kind, its space
    data: dict[str, Any]  # what a hit shows
    scope: str = ""  # what its rights hang on, where the viewer's are asked by scope


@dataclass(frozen=True)
class Only:
    """The things that a viewer may find: those whose ``column`` (ref or scope) is one of ``values``."""

    column: str
    values: Collection[str]


class Match(NamedTuple):
    """One thing that was found."""

    tier: Tier
    ref: str
    title: str
    data: dict[str, Any]
    row: int


Row = tuple[int, str, str, bytes]  # id, ref, title and data as they lie in a table


class Shelf:
    """The tables of one kind. All methods block for as long as SQLite works: call them off the hub."""

    def __init__(self, number: int, *, ranked: bool) -> None:
        """Name the tables; ``ranked`` weighs how often words stand in a text, which is for long texts only."""
        self._name = f"s{number}"
        self._filled = False  # a question goes to all kinds, and of most there are none
        self._order = f"ORDER BY bm25({self._name}_words, {WEIGHTS})" if ranked else ""

    def make(self, connection: sqlite3.Connection) -> None:
        """Make the tables, empty."""
        for table in ("", "_key", "_term", "_words", "_parts"):
            connection.execute(f"DROP TABLE IF EXISTS {self._name}{table}")
        connection.executescript(TABLES.format(self._name))
        self._filled = False

    def put(self, connection: sqlite3.Connection, entries: Iterable[Entry]) -> int:
        """Keep entries in place of what was kept of them; return how many were not yet as they are."""
        changed = 0
        for entry in entries:
            stamp = hash((*entry[:6], orjson.dumps(entry.data), entry.scope))
            kept = self._kept(connection, entry.ref)
            if kept and kept[2] == stamp:
                continue
            if kept:
                self._drop(connection, *kept[:2])
            self._add(connection, entry, stamp)
            changed += 1
        self._filled = self._filled or changed > 0
        return changed

    def drop(self, connection: sqlite3.Connection, refs: Iterable[str]) -> None:
        """Forget things."""
        for ref in refs:
            kept = self._kept(connection, ref)
            if kept:
                self._drop(connection, *kept[:2])

    def refs(self, connection: sqlite3.Connection) -> set[str]:
        """Return what is kept."""
        return {row[0] for row in connection.execute(f"SELECT ref FROM {self._name}")}

    def find(self, connection: sqlite3.Connection, question: Question, only: Only | None, limit: int) -> list[Match]:
        """Return up to ``limit`` things, the surest first, among those that ``only`` leaves."""
        if not self._filled:
            return []
        found: dict[int, Match] = {}
        chosen = _chosen(connection, only)
        for tier, rows in self._ways(connection, question, chosen, limit):
            for identity, ref, title, data in rows:
                if identity not in found:
                    found[identity] = Match(tier, ref, title, orjson.loads(data), identity)
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    def near(self, connection: sqlite3.Connection, question: Question, only: Only | None, limit: int) -> list[Match]:
        """Return things in whose title each word of the question stands, but for a typing error or two."""
        corrected = [self._corrected(connection, word) for word in question.words] if self._filled else []
        if question.number or not corrected or not all(corrected):
            return []
        wanted = " AND ".join(f"({' OR '.join(map(_quoted, terms))})" for terms in corrected)
        rows = self._full(connection, "words", f"title : ({wanted})", _chosen(connection, only), NEAR)
        nearest = sorted(rows, key=lambda row: (_distance(row[2], question), row[2]))[:limit]
        return [Match(Tier.NEAR, ref, title, orjson.loads(data), row) for row, ref, title, data in nearest]

    def snippet(self, connection: sqlite3.Connection, question: Question, row: int) -> str:
        """Return the piece of a thing's text where most of the words stand, or the heading if they stand there only."""
        if not question.words:
            return ""
        sql = f"SELECT text, heading FROM {self._name}_words WHERE rowid = ?"
        found = connection.execute(sql, (row,)).fetchone() or ()
        return next((piece for text in found if (piece := piece_of(text, question.words))), "")

    def _ways(
        self, connection: sqlite3.Connection, question: Question, chosen: str, limit: int
    ) -> Iterator[tuple[Tier, Iterable[Row]]]:
        """Yield what each way of finding finds; a way is gone only if those before did not find enough."""
        text = question.text
        if not text:
            yield Tier.TITLE, self._all(connection, chosen, limit)
            return
        yield Tier.EXACT, self._keys(connection, "k.key IN (?, ?)", (text, f"#{text}"), chosen, limit)
        if question.number:
            return
        yield Tier.BEGINNING, self._keys(connection, "k.key >= ? AND k.key < ?", (text, text + LAST), chosen, limit)
        words = " AND ".join(_beginning(word) for word in question.words)
        yield Tier.TITLE, self._full(connection, "words", f"title : ({words})", chosen, limit)
        if question.parts:
            parts = " AND ".join(_quoted(part) for part in question.parts)
            yield Tier.PART, self._full(connection, "parts", parts, chosen, limit)
        yield Tier.TEXT, self._full(connection, "words", words, chosen, limit, self._order)

    def _corrected(self, connection: sqlite3.Connection, word: str) -> list[str]:
        """Return the words of titles that may be meant by ``word``, of those that begin with the same letter.

        All of them, not only the nearest: whose title that is in may be hidden from who asks, and must not stand
        before what he may see.
        """
        most = errors_allowed(word)
        if not most:
            return [word]
        sql = (
            f"SELECT term FROM {self._name}_term WHERE term >= ? AND term < ? "
            f"AND length(term) BETWEEN ? AND ? LIMIT {LIKE}"
        )
        terms = connection.execute(sql, (word[0], word[0] + LAST, len(word) - most, len(word) + most))
        return [term for (term,) in terms if errors(word, term, most) <= most]

    def _all(self, connection: sqlite3.Connection, chosen: str, limit: int) -> Iterable[Row]:
        sql = f"SELECT e.id, e.ref, e.title, e.data FROM {self._name} e WHERE 1 {chosen} ORDER BY e.title LIMIT ?"
        return connection.execute(sql, (limit,))

    def _keys(
        self, connection: sqlite3.Connection, condition: str, wanted: tuple[str, str], chosen: str, limit: int
    ) -> Iterable[Row]:
        sql = (
            f"SELECT e.id, e.ref, e.title, e.data FROM {self._name}_key k CROSS JOIN {self._name} e ON e.id = k.id "
            f"WHERE {condition} {chosen} ORDER BY k.key LIMIT ?"
        )
        return connection.execute(sql, (*wanted, limit))

    def _full(
        self, connection: sqlite3.Connection, table: str, wanted: str, chosen: str, limit: int, order: str = ""
    ) -> Iterable[Row]:
        full = f"{self._name}_{table}"
        sql = (
            f"SELECT e.id, e.ref, e.title, e.data FROM {full} CROSS JOIN {self._name} e ON e.id = {full}.rowid "
            f"WHERE {full} MATCH ? {chosen} {order} LIMIT ?"
        )
        return connection.execute(sql, (wanted, limit))

    def _add(self, connection: sqlite3.Connection, entry: Entry, stamp: int) -> None:
        name = self._name
        identity = connection.execute(
            f"INSERT INTO {name} (ref, title, scope, data, stamp) VALUES (?, ?, ?, ?, ?)",
            (entry.ref, entry.title, entry.scope, orjson.dumps(entry.data), stamp),
        ).lastrowid
        keys = {fold(entry.title), *entry.keys}
        connection.executemany(f"INSERT INTO {name}_key VALUES (?, ?)", [(key, identity) for key in keys])
        connection.execute(
            f"INSERT INTO {name}_words (rowid, title, heading, text, also) VALUES (?, ?, ?, ?, ?)",
            (identity, entry.title, entry.heading, entry.text, entry.also),
        )
        connection.executemany(
            f"INSERT INTO {name}_term VALUES (?, 1) ON CONFLICT DO UPDATE SET titles = titles + 1",
            [(term,) for term in _terms(entry.title)],
        )
        names = " ".join(key for key in keys if not key.startswith("#"))
        connection.execute(f"INSERT INTO {name}_parts (rowid, names) VALUES (?, ?)", (identity, names))

    def _kept(self, connection: sqlite3.Connection, ref: str) -> tuple[int, str, int] | None:
        """Return row, title and stamp of a thing that is kept."""
        sql = f"SELECT id, title, stamp FROM {self._name} WHERE ref = ?"
        kept: tuple[int, str, int] | None = connection.execute(sql, (ref,)).fetchone()
        return kept

    def _drop(self, connection: sqlite3.Connection, identity: int, title: str) -> None:
        name = self._name
        connection.execute(f"DELETE FROM {name} WHERE id = ?", (identity,))
        connection.execute(f"DELETE FROM {name}_key WHERE id = ?", (identity,))
        connection.execute(f"DELETE FROM {name}_words WHERE rowid = ?", (identity,))
        connection.execute(f"DELETE FROM {name}_parts WHERE rowid = ?", (identity,))
        terms = [(term,) for term in _terms(title)]
        connection.executemany(f"UPDATE {name}_term SET titles = titles - 1 WHERE term = ?", terms)
        connection.executemany(f"DELETE FROM {name}_term WHERE term = ? AND titles = 0", terms)


def _chosen(connection: sqlite3.Connection, only: Only | None) -> str:
    """Return the condition that leaves what ``only`` names, which lies in a table of this connection until the next."""
    if only is None:
        return ""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (value TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM chosen")
    values = orjson.dumps(sorted(only.values)).decode()
    connection.execute("INSERT INTO chosen SELECT value FROM json_each(?)", (values,))
    return f"AND e.{only.column} IN chosen"


def _terms(title: str) -> set[str]:
    """Return the words of a title by which it is found although they were typed wrongly."""
    return set(WORD.findall(fold(title)))


def _distance(title: str, question: Question) -> int:
    """Return how many typing errors lie between a question and a title."""
    parts = WORD.findall(fold(title))
    return sum(min((errors(word, part, MOST_ERRORS) for part in parts), default=0) for word in question.words)


def _quoted(word: str) -> str:
    """Return a word as FTS5 takes it literally."""
    return '"' + word.replace('"', '""') + '"'


def _beginning(word: str) -> str:
    """Return what finds words that begin with ``word``; a single letter is a word of its own, or all would begin so."""
    return f"{_quoted(word)} *" if len(word) > 1 else _quoted(word)
