"""The descriptions of the API: OpenAPI, Swagger 2.0 and the pages, all made from the declarations."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
import requests
from product import Product

ECHO = "/restmachine/lab/kettle/echo"


@pytest.fixture(scope="module")
def document(product: Product) -> dict[str, Any]:
    """Give the OpenAPI document as the administrator reads it."""
    found: dict[str, Any] = ask(product, product.token).json()
    return found


def ask(product: Product, token: str | None, **headers: str) -> requests.Response:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return requests.get(f"{product.url}/openapi.json", headers=headers, timeout=10)


def body_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return found


def test_document_has_every_method_and_answers_in_one_tag(product: Product, document: dict[str, Any]) -> None:
    """Each method that the portal lists is a path with its verbs, its right and its actor as tag."""
    rows = product.ask("system/docgenerator/listMethods")
    assert {f"/restmachine/{row['address']}" for row in rows} == set(document["paths"])
    for row in rows:
        path = document["paths"][f"/restmachine/{row['address']}"]
        assert {verb.upper() for verb in path} == set(row["verbs"])
        for operation in path.values():
            assert operation["tags"] == [f"{row['app']}/{row['actor']}"]
            assert (operation["x-right"], operation["x-readonly"]) == (row["right"], row["readonly"])
            assert {"200", "400", "401", "403", "404", "405", "409", "500", "503"} <= set(operation["responses"])
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_arguments_carry_all_that_was_declared(document: dict[str, Any]) -> None:
    """Wire names, types, defaults, choices, what is required, labels and secrets are in the document."""
    body = body_of(document, ECHO)
    fields = body["schema"]["properties"]
    assert list(fields) == ["cupCount", "hot", "label", "names", "extra", "kind"]
    assert body["schema"]["required"] == ["cupCount"]
    assert fields["cupCount"]["type"] == "integer"
    assert (fields["hot"]["type"], fields["hot"]["default"]) == ("boolean", True)
    assert fields["kind"]["enum"] == ["tea", "coffee"]
    assert body["example"] == {"cupCount": 1}
    query = {one["name"]: one for one in document["paths"][ECHO]["get"]["parameters"]}
    assert query["names"]["schema"]["type"] == "array"
    assert "application/json" in query["extra"]["content"]
    assert (query["cupCount"]["required"], query["hot"]["required"]) == (True, False)
    secret = body_of(document, "/restmachine/lab/kettle/lock")["schema"]["properties"]["key"]
    assert (secret["format"], secret["title"]) == ("password", "Key")


def test_typed_answers_have_their_schema(document: dict[str, Any]) -> None:
    """An actor that answers typed rows shows their fields; one that answers a dictionary shows an open object."""
    operation = document["paths"]["/restmachine/system/gridmanager/getNodes"]["post"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"type": "array", "items": {"$ref": "#/components/schemas/NodeRow"}}
    row = document["components"]["schemas"]["NodeRow"]
    assert row["properties"]["last_seen"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert "name" in row["required"]


def answers(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what each operation answers when all is well, by its path."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            yield path, operation["responses"]["200"]["content"]["application/json"]


def test_every_answer_has_an_example_that_fits(document: dict[str, Any]) -> None:
    """Each method shows what it may answer, and that fits the schema that stands beside it."""
    for path, answer in answers(document):
        schema = {**answer["schema"], "components": document["components"]}
        wrong = [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(answer["example"])]
        assert not wrong, f"{path}: {wrong}"


def test_the_cloud_answers_no_open_objects(document: dict[str, Any]) -> None:
    """What a method of the cloud answers is declared, field by field, and nothing else is in it."""
    for path, answer in answers(document):
        if "/cloudapi/" in path or "/cloudbroker/" in path:
            row = answer["schema"].get("items", answer["schema"])
            assert row != {}, path
            assert row.get("type") != "object", path
            if "$ref" in row:
                named = document["components"]["schemas"][row["$ref"].rpartition("/")[2]]
                assert named["additionalProperties"] is False, path
                assert named["properties"], path


def test_fields_say_what_their_comments_say(document: dict[str, Any]) -> None:
    """The comment beside a field of a declared answer describes it, one of what it extends too."""
    rows = document["components"]["schemas"]
    assert rows["NodeRow"]["properties"]["memory"]["description"] == "MiB"
    machine = rows["MachineDetail"]["properties"]
    assert machine["storage"]["description"] == "GiB, all disks together"
    assert machine["statusReason"]["description"] == "why it is in this state, for people"
    assert "description" not in machine["name"]


def test_lists_tell_their_columns_and_counts(document: dict[str, Any]) -> None:
    """A list names what it sorts, filters and searches by, the header with the count, and what DataTables gets."""
    listing = document["paths"]["/restmachine/lab/shelf/teas"]["post"]
    columns = {column["name"]: column for column in listing["x-columns"]}
    assert columns["grams"] == {"name": "grams", "kind": "number", "sortable": True, "searched": False}
    assert (columns["farmName"]["sortable"], columns["farmName"]["searched"]) == (False, True)
    assert listing["responses"]["200"]["headers"]["X-Total-Count"]["schema"]["type"] == "integer"
    plain = listing["responses"]["200"]["content"]["application/json"]["schema"]
    assert listing["x-datatables"]["schema"]["properties"]["data"] == plain
    assert "x-columns" not in document["paths"][ECHO]["post"]


@pytest.mark.parametrize("app", ["cloudapi", "cloudbroker"])
def test_every_list_of_the_cloud_pages(document: dict[str, Any], app: str) -> None:
    """All methods of the cloud that list something page, sort, search and filter."""
    lists = [
        operation
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if path.startswith(f"/restmachine/{app}/") and "/list" in path
    ]
    assert len(lists) >= 14
    assert all(operation.get("x-columns") for operation in lists)


def test_document_is_kept_by_its_etag(product: Product) -> None:
    """Who has the document is told so with 304; who is not signed in sees open methods only; a bad token gets 401."""
    first = ask(product, product.token)
    assert first.headers["Content-Type"] == "application/json"
    again = ask(product, product.token, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")
    open_methods = ask(product, None)
    assert open_methods.headers["ETag"] != first.headers["ETag"]
    assert ECHO in open_methods.json()["paths"]
    assert "/restmachine/lab/kettle/lock" not in open_methods.json()["paths"]
    assert ask(product, "pfw_wrong").status_code == 401


def test_swagger_for_clients_that_ask_when_they_connect(product: Product) -> None:
    """The catalogue has the methods of one app in the shape that the Python client reads."""
    asked = f"{product.url}/restmachine/system/docgenerator/prepareCatalog?group=cloudapi"
    answer = requests.post(asked, headers={"Authorization": f"bearer {product.token}"}, timeout=10)
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    assert paths
    assert all(path.startswith("/cloudapi/") for path in paths)
    for path in paths.values():
        assert path["post"]["description"]
        assert all({"name", "description", "required", "type", "in"} <= set(one) for one in path["post"]["parameters"])
    start = {one["name"]: one for one in paths["/cloudapi/machines/start"]["post"]["parameters"]}
    assert (start["machineId"]["type"], start["machineId"]["required"]) == ("integer", True)
    few = product.ask("system/docgenerator/prepareCatalog", group="cloudapi", actors=["sizes"])["paths"]
    assert set(few) == {"/cloudapi/sizes/list"}


def page(product: Product, address: str) -> str:
    """Return a page of the portal as its administrator sees it."""
    headers = {"Authorization": f"Bearer {product.token}"}
    answer = requests.get(f"{product.url}/system/{address}", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert "macro-error" not in answer.text
    return html.unescape(answer.text)


def test_page_lists_every_method(product: Product) -> None:
    """The page API shows each method of each app with description and right, and leads to the page of each."""
    shown = page(product, "API")
    for row in product.ask("system/docgenerator/listMethods"):
        assert f"{row['actor']}/{row['name']}" in shown
        assert row["summary"] in shown
        assert f"API%20Method?address={quote(row['address'], safe='')}" in shown


def test_page_of_a_method_shows_what_it_answers(product: Product) -> None:
    """The page of a method names each field of its answer, those of rows within it too, with type and meaning."""
    shown = page(product, "API Method?address=cloudapi/machines/list")
    assert "It answers: list of MachineRow." in shown
    for text in ("nics[].ipAddress", "operation.progress", "list of NicRow", "GiB, all disks together"):
        assert text in shown, text
    assert "It answers: int." in page(product, "API Method?address=cloudapi/machines/create")


def test_every_method_has_a_page_with_its_form(product: Product) -> None:
    """The page of each method has a form or a button made of its declaration, and no macro of it fails."""
    for row in product.ask("system/docgenerator/listMethods"):
        shown = page(product, f"API Method?address={row['address']}")
        wanted = 'name="tried"' if row["readonly"] else f'data-action="{row["address"]}"'
        assert wanted in shown, row["address"]


def test_reading_method_is_tried_on_its_page(product: Product) -> None:
    """A reading method's page shows what it answers to the form, or why it refuses; the form keeps what was given."""
    shown = page(product, "API Method?address=lab/kettle/echo&tried=1&given.cupCount=3&given.names=a%0D%0Ab")
    answer = json.loads(shown.partition('aria-label="Answer">')[2].partition("</pre>")[0])
    assert (answer["cupCount"], answer["names"], answer["hot"]) == (3, ["a", "b"], True)
    assert 'name="given.cupCount" data-json="number" value="3"' in shown
    refused = page(product, "API Method?address=lab/kettle/echo&tried=1&given.cupCount=many")
    assert "Argument cupCount: must be a whole number, not 'many'." in refused
    untried = page(product, "API Method?address=lab/kettle/echo")
    assert 'aria-label="Answer"' not in untried
