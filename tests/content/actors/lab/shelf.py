"""A shelf of teas, in the database and in memory, for tests of lists."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, TypedDict

import mongoengine

from portalfw.rest import Actor, Columns, Listing, NameOf, method
from portalfw.store import Document

KINDS = ["green", "black", "white"]
FIELDS = ("id", "name", "kind", "grams", "open", "picked", "tags")


class LabFarm(Document):
    """Where a tea comes from."""

    meta: ClassVar[dict[str, Any]] = {"collection": "lab_farm"}

    name = mongoengine.StringField()


class LabTea(Document):
    """One tea."""

    meta: ClassVar[dict[str, Any]] = {"collection": "lab_tea", "indexes": ["kind", ("name", "_id")]}

    name = mongoengine.StringField()
    kind = mongoengine.StringField()
    grams = mongoengine.IntField()
    open = mongoengine.BooleanField()
    picked = mongoengine.FloatField()
    packed = mongoengine.DateTimeField()
    tags = mongoengine.ListField(mongoengine.StringField())
    farm_id = mongoengine.IntField()


class TeaRow(TypedDict):
    """A tea out of memory."""

    id: int
    name: str
    kind: str | None
    grams: int
    open: bool
    picked: float | None
    tags: list[str]


TEAS = Columns(
    LabTea,
    *FIELDS,
    "packed",
    times=("picked",),
    search=("id", "name", "tags", "farmName"),
    farmName=NameOf(LabFarm, "farm_id"),
)
KEPT = Columns(TeaRow, *FIELDS, times=("picked",), search=("id", "name", "tags"), sort="name", limit=3, most=5)


class Shelf(Actor, app="lab"):
    """Teas."""

    @method(right="group:admin")
    def fill(self, count: int) -> int:
        """Put some teas on the empty shelf."""
        LabTea.collection().delete_many({})
        LabFarm.collection().delete_many({})
        LabFarm.collection().insert_many([{"_id": 1, "name": "Hilltop"}, {"_id": 2, "name": "Valley (north)"}])
        LabTea.collection().insert_many(
            {
                "_id": number,
                "name": f"Tea {number % 7}",
                "kind": KINDS[number % 3],
                "grams": number * 10,
                "open": number % 2 == 0,
                "picked": 1_700_000_000.0 + number * 86400,
                "packed": dt.datetime.fromtimestamp(1_700_000_000 + number * 86400, dt.UTC),
                "tags": ["rare (1.0)", f"lot-{number}"] if number % 5 == 0 else [],
                "farm_id": 1 + number % 2,
            }
            for number in range(1, count + 1)
        )
        return count

    @method(right="login", http=("GET", "POST"), readonly=True, live=("lab_tea",))
    def teas(self, kind: str | None = None, *, listing: Annotated[Listing, TEAS]) -> list[dict[str, Any]]:
        """List the teas, of one kind if asked."""
        rows = listing.of(LabTea, {"kind": kind} if kind else {})
        return rows.answered(_row(row) for row in rows)

    @method(right="login", http=("GET", "POST"), readonly=True, live=("lab_tea",))
    def kept(self, listing: Annotated[Listing, KEPT]) -> list[TeaRow]:
        """List the teas out of memory."""
        return listing.of_rows([_row(row) for row in LabTea.rows(fields=FIELDS[1:])])


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in FIELDS}
