"""Long lists are read by the indexes that are there for them: how much is read does not grow with the list."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from portal import QUERIES
from pymongo.database import Database

from actors.cloud.directory import counted
from actors.cloud.models import NOT_GONE, Machine
from actors.cloudapi.columns import CLOUDSPACES, MACHINES
from portalfw.rest import Columns, Listing, Page

COUNT = 300
NOW = time.time()


@pytest.fixture
def many(database: Database[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """Give a database with many machines, a third of them destroyed, whose reads are on record."""
    chance = random.Random(1)  # noqa: S311 - the same at each run
    Machine.collection().insert_many(
        {
            "_id": number,
            "name": f"vm-{chance.randrange(10**6)}",
            "account_id": number % 3,
            "cloudspace_id": number,
            "reference_id": str(number),
            "memory": 512,
            "status": chance.choice(["RUNNING", "HALTED"]) if number <= COUNT else "DESTROYED",
            "live": number <= COUNT,
            "creation_time": NOW - chance.randrange(10**6),
            "deletion_time": 0.0 if number <= COUNT else NOW,
        }
        for number in range(1, COUNT * 3 // 2 + 1)
    )
    database.command("profile", 2)
    yield database
    database.command("profile", 0)


def read(database: Database[dict[str, Any]], **wish: Any) -> tuple[Page[dict[str, Any]], dict[str, Any]]:
    """Return a page of the machines that are not gone, and what MongoDB noted of the query."""
    rows = Listing(MACHINES, **wish).of(Machine, NOT_GONE)
    return rows, database["system.profile"].find({"op": "query", "ns": {"$regex": "machine$"}}).sort("$natural", -1)[0]


@pytest.mark.parametrize(
    "sort", ["", "id", "-id", "name", "-name", "status", "-status", "creationTime", "-creationTime"]
)
@pytest.mark.parametrize("offset", [0, 200])
def test_a_page_reads_its_own_documents_only(many: Database[dict[str, Any]], sort: str, offset: int) -> None:
    """Sorted by what people sort by, a page reads just its documents, however deep it lies, and sorts nothing."""
    rows, noted = read(many, sort=sort, limit=5, offset=offset)
    assert len(rows) == 5
    assert noted["docsExamined"] == 5
    assert noted["keysExamined"] <= offset + 5
    assert not noted.get("hasSortStage")
    field = {"": "id", "creationTime": "creation_time"}.get(sort.lstrip("-"), sort.lstrip("-"))
    found = [(row[field], row["id"]) for row in rows]
    everything = sorted(((row[field], row["id"]) for row in Machine.rows(NOT_GONE)), reverse=sort.startswith("-"))
    assert found == everything[offset : offset + 5]


def test_a_filter_by_status_reads_no_other_documents(many: Database[dict[str, Any]]) -> None:
    """Whether a row has the status that is asked for is seen in the index."""
    for status in ("HALT", "=HALTED", "!=RUNNING"):
        rows, noted = read(many, sort="name", filter={"status": status}, limit=5, offset=50)
        assert {row["status"] for row in rows} == {"HALTED"}
        assert noted["docsExamined"] == 5


def test_a_filter_that_another_index_serves_is_left_to_it(many: Database[dict[str, Any]]) -> None:
    """A filter on one id reads one document, in whatever order the list is."""
    rows, noted = read(many, sort="name", filter={"id": 7}, limit=5)
    assert [row["id"] for row in rows] == [7]
    assert noted["docsExamined"] <= 1


def test_counts_of_a_page_without_filters_are_taken_once(many: Database[dict[str, Any]]) -> None:
    """A list that leaves nothing out counts its rows once for both figures; a search counts what it leaves."""
    with QUERIES.counted() as found:
        rows, _ = read(many, limit=5)
        assert (rows.matching, rows.everything) == (COUNT, COUNT)
    assert [one for one in found if one.startswith("count")] == ["count machine"]
    rows, _ = read(many, limit=5, search="vm-1", filter={"status": "=HALTED"})
    names = [row["name"] for row in Machine.rows(NOT_GONE | {"status": "HALTED"})]
    assert (rows.matching, rows.everything) == (sum(name.startswith("vm-1") for name in names), COUNT)


def test_columns_for_operators_leave_those_of_users_alone() -> None:
    """More columns for one list are no more columns for another."""
    more: Columns = CLOUDSPACES.with_(sort="name", nodeId="stack_id")
    assert "nodeId" in [*more]
    assert "nodeId" not in [*CLOUDSPACES]
    assert (more.sort, CLOUDSPACES.sort) == ("name", "id")


def test_machines_of_cloudspaces_are_counted_without_reading_them(many: Database[dict[str, Any]]) -> None:
    """The number of machines of each cloudspace comes out of an index alone; gone ones do not count."""
    assert counted(Machine, "cloudspace_id", [1, 2, COUNT + 1]) == {1: 1, 2: 1}
    noted = many["system.profile"].find({"command.aggregate": "machine"}).sort("$natural", -1)[0]
    assert noted["docsExamined"] == 0
