"""How a kind of object is declared searchable: where it lies, what of it can be found, who may find it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from portalfw.auth.principal import Principal
from portalfw.search.shelf import Entry
from portalfw.search.words import fold
from portalfw.store import Document

Rights = Callable[["Viewer"], Mapping[str, Any] | None]
"""The MongoDB condition on the objects that a viewer may read: ``{}`` for all of them, None for none."""

Lookup = Callable[[str], Mapping[str, Any] | None]
"""The MongoDB condition on the objects that a text names outright, None if it names none."""

T = TypeVar("T")
NUMBER = re.compile(r"#?(\d{1,15})")


class Viewer:
    """Who asks a question, and what was found out about it for this one question."""

    def __init__(self, principal: Principal) -> None:
        """Know nothing yet."""
        self.principal = principal
        self._known: dict[Callable[[Principal], Any], Any] = {}

    def once(self, function: Callable[[Principal], T]) -> T:
        """Return what ``function`` says of the viewer; several kinds that need the same ask only once."""
        if function not in self._known:
            self._known[function] = function(self.principal)
        found: T = self._known[function]
        return found


@dataclass(frozen=True)
class Searchable:
    """One kind of object that can be found.

    Fields are names of the document's, ``a.b`` reads within one, also within each of a list. What is found by must be
    no more than what everybody who may read the object may read of it: a hit tells that the text is there.
    """

    kind: str  # as people write it before a colon: "external network"
    document: type[Document]
    plural: str  # head of its group: "External networks"
    rights: Rights
    apps: tuple[str, ...]  # whose methods show it; a credential that is limited to other apps does not find it
    pages: tuple[str, ...]  # addresses with {field}s; the first that the viewer may read is the hit's
    title: str = "name"
    names: tuple[str, ...] = ()  # fields found by their whole value or its beginning: addresses, host names
    texts: tuple[str, ...] = ()  # fields found by their words
    state: str | None = None
    icon: str = "box"
    aliases: tuple[str, ...] = ()  # other words for the kind, before a colon or an id
    where: Mapping[str, Any] = field(default_factory=dict)  # values that fields of what can be found have
    indexed: bool = True  # False for what changes too often: it is found by ``lookup`` alone
    lookup: Lookup | None = None
    create: tuple[str, str] | None = None  # the method that makes one, and the page with its button
    order: int = 50  # its place among the groups that were found equally well

    @property
    def collection(self) -> str:
        """The name of its collection, which is its topic on the event bus."""
        return self.document.collection_name()

    @property
    def fields(self) -> list[str]:
        """What must be read of a document."""
        given = {self.title, *self.names, *self.texts, *self.where, *(name for name in (self.state,) if name)}
        return sorted(given | {name for page in self.pages for name in re.findall(r"\{([\w.]+)\}", page)} - {"id"})

    def belongs(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a document can be found at all."""
        return all(row.get(name) == value for name, value in self.where.items())

    def entry(self, row: Mapping[str, Any]) -> Entry:
        """Return what is kept of a document for finding it; ``row`` has its ``id``."""
        title = " ".join(_values(row, self.title)) or str(row["id"])
        names = [name for path in self.names for name in _values(row, path)]
        texts = [text for path in self.texts for text in _values(row, path)]
        kept = {name: row.get(name) for page in self.pages for name in re.findall(r"\{([\w.]+)\}", page)}
        data = {"id": row["id"], "row": kept, "names": names}
        if self.state:
            data["state"] = row.get(self.state)
        keys = (f"#{fold(str(row['id']))}", *(fold(name) for name in names))
        return Entry(
            str(row["id"]),
            title,
            keys,
            "",
            " ".join([*names, *texts]),
            " ".join((self.kind, self.plural, *self.aliases)),
            data,
        )


def searchable_of(rights: Rights, given: Mapping[str, Any]) -> Searchable:
    """Return the declaration that a function marked with ``@searchable`` makes."""
    return Searchable(rights=rights, **given)


def by_number(text: str) -> dict[str, Any] | None:
    """Find an object by its id, written as ``12`` or ``#12``."""
    found = NUMBER.fullmatch(text)
    return {"_id": int(found[1])} if found else None


def _values(row: Mapping[str, Any], path: str) -> list[str]:
    """Return the values at a dotted path as texts; a list on the way gives those of all its items."""
    found: list[Any] = [row]
    for name in path.split("."):
        inner = [one.get(name) for one in found if isinstance(one, Mapping)]
        found = [part for one in inner for part in (one if isinstance(one, list) else [one])]
    return [str(one) for one in found if one not in (None, "")]
