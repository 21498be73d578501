"""Lists page, sort, search and filter, over documents and over rows in memory alike, for DataTables too."""

from __future__ import annotations

import csv
from typing import Any

import orjson
import pytest
import requests
from product import Product

from actors.system.page_rows import PageRef
from portalfw.rest.columns import Columns
from portalfw.rest.csv_rows import as_csv

COUNT = 42
TEAS, KEPT = "lab/shelf/teas", "lab/shelf/kept"


@pytest.fixture(scope="module")
def shelf(product: Product) -> Product:
    """The product with teas on the shelf."""
    assert product.ask("lab/shelf/fill", count=COUNT) == COUNT
    return product


def ids(product: Product, address: str = TEAS, **wish: Any) -> list[int]:
    return [row["id"] for row in product.ask(address, **{"limit": 5, **wish})]


def refusal(product: Product, **wish: Any) -> str:
    answer = product.call(TEAS, **wish)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["message"])


def test_a_list_without_a_wish_has_all_rows(shelf: Product) -> None:
    """Clients of old get a plain list of everything, by id."""
    assert [row["id"] for row in shelf.ask(TEAS)] == [*range(1, COUNT + 1)]


def test_pages_follow_each_other(shelf: Product) -> None:
    """Pages sorted by a column with equal values neither repeat nor lose a row."""
    found = [one for offset in range(0, COUNT, 5) for one in ids(shelf, sort="kind", offset=offset)]
    assert sorted(found) == [*range(1, COUNT + 1)]


def test_orders(shelf: Product) -> None:
    """Several columns order the rows, each in its direction."""
    rows = shelf.ask(TEAS, sort="kind,-grams")
    assert rows == sorted(rows, key=lambda row: (row["kind"], -row["grams"]))
    assert rows != shelf.ask(TEAS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"grams": 70}, [7]),
        ({"grams": "70"}, [7]),
        ({"grams": ">=400"}, [40, 41, 42]),
        ({"grams": "<30"}, [1, 2]),
        ({"grams": "20..40"}, [2, 3, 4]),
        ({"grams": ["10", 50]}, [1, 5]),
        ({"grams": ">=400", "open": True}, [40, 42]),
        ({"open": "no", "grams": "<50"}, [1, 3]),
        ({"name": "TEA 1", "grams": "<100"}, [1, 8]),
        ({"name": "=tea 1"}, []),
        ({"kind": "=green", "grams": "<70"}, [3, 6]),
        ({"kind": "!gr", "grams": "<40"}, [1, 2]),
        ({"kind": "!=green", "grams": "<40"}, [1, 2]),
        ({"tags": "lot-1", "grams": "<400"}, [10, 15]),
        ({"tags": "(1.0)", "grams": "<100"}, [5]),
        ({"tags": "rare (1x0"}, []),
        ({"picked": "2023-11-15..2023-11-17T22:13:20"}, [1, 2, 3]),
        ({"picked": "-1d.."}, []),
        ({"id": "!1", "grams": "<30"}, [2]),
        ({"name": ""}, [1, 2, 3, 4, 5]),
    ],
)
def test_filters(shelf: Product, condition: dict[str, Any], expected: list[int]) -> None:
    """A filter means the same whether the rows are documents or lie in memory."""
    assert ids(shelf, filter=condition, sort="id") == expected
    assert ids(shelf, KEPT, filter=condition, sort="id") == expected


def test_columns_of_rows_that_have_none() -> None:
    """A column that the rows in memory do not have is refused where it is declared."""
    with pytest.raises(TypeError, match="PageRef has no key colour, only space, page, address"):
        Columns(PageRef, "page", "colour")


def test_filters_of_dates_and_names(shelf: Product) -> None:
    """The database's own dates and the names of other documents filter too."""
    assert ids(shelf, filter={"packed": "2023-11-15..2023-11-17T22:13:20"}) == [1, 2, 3]
    assert ids(shelf, filter={"farmName": "valley (", "grams": "<50"}) == [1, 3]
    assert ids(shelf, filter={"farmName": "!valley", "grams": "<50"}) == [2, 4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("tea 3", [3, 10, 17, 24, 30]), ("rare lot-15", [15]), ("TEA 41", [41]), ("none", []), ("", [1, 2, 3, 4, 5])],
)
def test_search(shelf: Product, text: str, expected: list[int]) -> None:
    """Every word must be found in one of the searched columns; a number is an id too."""
    assert ids(shelf, search=text, sort="id") == expected
    assert ids(shelf, KEPT, search=text, sort="id") == expected


def test_search_in_names_of_others(shelf: Product) -> None:
    """A search finds rows by the name of the document that they belong to."""
    assert ids(shelf, search="valley lot-3") == [35]


def test_rows_at_most(shelf: Product) -> None:
    """A list that declares a bound keeps it, and its own number of rows without a wish."""
    assert len(shelf.ask(KEPT)) == 3
    assert len(shelf.ask(KEPT, limit=0)) == 5
    assert len(shelf.ask(KEPT, limit=1000)) == 5
    assert [row["name"] for row in shelf.ask(KEPT)] == ["Tea 0"] * 3


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"sort": "colour"}, "There is no column 'colour'"),
        ({"sort": "farmName"}, "Rows cannot be sorted by farmName, only by id, name"),
        ({"filter": {"colour": "red"}}, "There is no column 'colour'"),
        ({"filter": {"grams": "many"}}, "filter.grams: must be a number, >=2, <8, 2..8 or !2, not 'many'"),
        ({"filter": {"grams": {"$gt": 1}}}, "filter.grams: must be a number"),
        ({"filter": {"name": {"$ne": 1}}}, "filter.name: must be a part of the text"),
        ({"filter": {"name": [{"$ne": 1}]}}, "filter.name: must be a part of the text"),
        ({"filter": {"open": "perhaps"}}, "filter.open: must be true or false"),
        ({"filter": {"picked": "soon"}}, "filter.picked: must be a time"),
        ({"filter": {"grams": 10**30}}, "filter.grams"),
        ({"filter": "grams"}, "Argument filter: must be an object"),
        ({"limit": -1}, "Argument limit"),
        ({"search": "a b c d e f g h i"}, "search: 8 words at most"),
    ],
)
def test_wrong_wishes(shelf: Product, wish: dict[str, Any], told: str) -> None:
    """A wrong wish names the column and what it takes, and no operator of the database gets through."""
    assert refusal(shelf, **wish).startswith(told)


def test_counts(shelf: Product) -> None:
    """Who asks for a part may be told how many rows the filters leave."""
    headers = {"Authorization": f"Bearer {shelf.token}", "Prefer": "count=exact"}
    wish = {"limit": 2, "filter": '{"kind": "=green"}'}
    answer = requests.get(f"{shelf.url}/restmachine/{TEAS}", wish, headers=headers, timeout=10)
    assert len(answer.json()) == 2
    assert answer.headers["X-Total-Count"] == "14"


def datatables(columns: list[str], **changes: Any) -> dict[str, Any]:
    """Return what DataTables 2 sends for a table of these columns."""
    return {
        "draw": 3,
        "columns": [
            {"data": name, "name": "", "searchable": True, "orderable": True, "search": {"value": "", "regex": False}}
            for name in columns
        ],
        "order": [{"column": 1, "dir": "desc", "name": ""}],
        "start": 2,
        "length": 3,
        "search": {"value": "", "regex": False},
    } | changes


def flat(given: Any, prefix: str = "") -> dict[str, Any]:
    """Return the same as jQuery writes it into a query string or form."""
    if isinstance(given, (dict, list)):
        pairs = given.items() if isinstance(given, dict) else enumerate(given)
        parts = [flat(value, f"{prefix}[{name}]" if prefix else str(name)) for name, value in pairs]
        return {name: value for part in parts for name, value in part.items()}
    return {prefix: str(given).lower() if isinstance(given, bool) else given}


@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_datatables(shelf: Product, way: str) -> None:
    """DataTables gets its page, sorted and filtered, with both counts, however it asks."""
    asked = datatables(["name", "grams", "kind"])
    asked["columns"][2]["search"]["value"] = "green"
    headers, url = {"Authorization": f"Bearer {shelf.token}"}, f"{shelf.url}/restmachine/{TEAS}"
    if way == "json":
        answer = requests.post(url, json=asked, headers=headers, timeout=10)
    elif way == "form":
        answer = requests.post(url, data=flat(asked), headers=headers, timeout=10)
    else:
        answer = requests.get(url, flat(asked), headers=headers, timeout=10)
    found = orjson.loads(answer.content)
    assert {name: found[name] for name in ("draw", "recordsTotal", "recordsFiltered")} == {
        "draw": 3,
        "recordsTotal": 42,
        "recordsFiltered": 14,
    }
    assert [row["grams"] for row in found["data"]] == [360, 330, 300]


def test_datatables_with_own_arguments(shelf: Product) -> None:
    """The method's own arguments narrow what DataTables takes for everything; -1 rows are all of them."""
    found = shelf.ask(
        TEAS, kind="white", **datatables(["grams"], order=[], length=-1, start=0, search={"value": "rare"})
    )
    assert (found["recordsTotal"], found["recordsFiltered"]) == (14, 3)
    assert [row["id"] for row in found["data"]] == [5, 20, 35]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"draw": "<script>"}, "Argument draw must be a whole number."),
        ({"order": [{"column": 9, "dir": "asc"}]}, "order names column 9"),
        ({"start": "x"}, "Argument offset: must be a whole number"),
        ({"length": "x"}, "Argument length must be a whole number."),
    ],
)
def test_wrong_datatables(shelf: Product, changes: dict[str, Any], told: str) -> None:
    """What DataTables would never send is refused with what is wrong."""
    assert refusal(shelf, **datatables(["grams", "name"], **changes)).startswith(told)


def test_csv(shelf: Product) -> None:
    """A list comes as CSV where a spreadsheet wants it, with the same wishes; no text of it is a formula there."""
    headers = {"Authorization": f"Bearer {shelf.token}"}
    wish = {"sort": "-grams", "filter": '{"tags": "rare"}', "_format": "csv", "limit": 2}
    answer = requests.get(f"{shelf.url}/restmachine/{TEAS}", wish, headers=headers, timeout=10)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lab-shelf-teas.csv"'
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [row["grams"] for row in rows] == ["400", "350"]
    assert rows[0]["tags"] == '["rare (1.0)","lot-40"]'
    assert as_csv([{"name": "=1+1"}, {"name": "fine", "size": -3}]) == b"name,size\r\n'=1+1,\r\nfine,-3\r\n"
