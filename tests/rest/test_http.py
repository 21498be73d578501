"""REST as clients meet it: addresses, arguments, answers, errors, rights and the audit record."""

from __future__ import annotations

import requests
from product import Product, wait_for

ECHO = "lab/kettle/echo"


def test_arguments_from_query_string_of_an_empty_post(product: Product) -> None:
    """A client that sends everything as text in the query string of a POST gets typed arguments."""
    query = {"cupCount": "5", "hot": "False", "names": ["a", "b"], "extra": '{"x": 1}', "unknown": "ignored"}
    answer = requests.post(f"{product.url}/restmachine/{ECHO}", params=query, timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "cupCount": 5,
        "hot": False,
        "label": "",
        "names": ["a", "b"],
        "extra": {"x": 1},
        "kind": "tea",
    }


def test_one_element_list_may_look_like_a_scalar(product: Product) -> None:
    """A list of one element may be sent as a plain value, or as JSON."""
    for names in ("a", '["a"]', ["a"]):
        assert product.ask(ECHO, cupCount=1, names=names)["names"] == ["a"]


def test_repeated_slashes_are_collapsed(product: Product) -> None:
    """An address that begins with two slashes answers as with one, without a redirect."""
    answer = requests.get(f"{product.url}//restmachine/{ECHO}?cupCount=1", timeout=10, allow_redirects=False)
    assert answer.status_code == 200


def test_wrong_argument_is_named(product: Product) -> None:
    """A missing or malformed argument is answered with 400 and its wire name."""
    missing = product.call(ECHO)
    assert missing.status_code == 400
    assert missing.json()["message"] == "Argument cupCount is missing."
    wrong = product.call(ECHO, cupCount="five").json()
    assert wrong["detail"]["argument"] == "cupCount"
    assert wrong["message"] == "Argument cupCount: must be a whole number, not 'five'."
    assert product.call(ECHO, cupCount=1, kind="mate").json()["detail"]["argument"] == "kind"
    assert requests.post(f"{product.url}/restmachine/{ECHO}", json=[1], timeout=10).status_code == 400


def test_every_error_has_the_one_shape(product: Product) -> None:
    """Unknown method, wrong verb, state conflict and the unforeseen all answer in one shape, without a trace."""
    cases = {
        404: product.call("lab/kettle/nothing"),
        405: requests.delete(f"{product.url}/restmachine/{ECHO}", timeout=10),
        409: product.call("lab/kettle/boil"),
        500: product.call("lab/kettle/overheat"),
    }
    for status, answer in cases.items():
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "message", "detail", "id"}
        assert "Traceback" not in answer.text
        assert "burnt" not in answer.text
    assert cases[409].json()["detail"] == {"status": "HOT"}
    assert cases[500].json()["id"] in (product.state / "log" / "portalfw.log").read_text()


def test_rights_are_decided_by_declaration(product: Product) -> None:
    """A guest gets 401, a user without the group 403 that names it, an unknown token 401."""
    assert requests.post(f"{product.url}/restmachine/lab/kettle/boil", timeout=10).status_code == 401
    assert product.call("lab/kettle/boil", token="pfw_wrong").status_code == 401
    refused = product.call("lab/kettle/overheat", token=product.user_token("teaboy"))
    assert refused.status_code == 403
    assert "needs group level2" in refused.json()["message"]


def test_calls_are_on_record_with_secrets_masked(product: Product) -> None:
    """Each call leaves an audit record with user, arguments, status and objects; a secret is never in it."""
    assert product.ask("lab/kettle/lock", key="open sesame", cupId=7) is True
    record = product.ask("system/audits/listAudits", tag="cupId:7")[0]
    assert (record["user"], record["call"], record["status"]) == ("admin", "lab/kettle/lock", 200)
    assert record["arguments"] == {"key": "***", "cupId": 7}


def test_reading_calls_are_on_record_a_moment_later(product: Product) -> None:
    """Reads are recorded too, in batches."""
    product.ask("system/usermanager/userget", name="admin")
    calls = lambda: [row["call"] for row in product.ask("system/audits/listAudits", limit=20)]  # noqa: E731 - polled
    wait_for(lambda: "system/usermanager/userget" in calls(), 5, "the audit record of a read")


def test_head_is_get_without_the_body(product: Product) -> None:
    """HEAD of a reading method or a page has the status and headers of GET; of one that changes things it is 405."""
    headers = {"Authorization": f"Bearer {product.token}"}
    for path in (f"/restmachine/{ECHO}?cupCount=1", "/system/Home", "/login", "/openapi.json", "/healthz"):
        full = requests.get(product.url + path, headers=headers, timeout=10)
        head = requests.head(product.url + path, headers=headers, timeout=10)
        assert (full.status_code, head.status_code) == (200, 200), path
        assert not head.content
        assert head.headers["Content-Type"] == full.headers["Content-Type"]
        assert head.headers.get("ETag") == full.headers.get("ETag")
    refused = requests.head(f"{product.url}/restmachine/system/tokens/create", headers=headers, timeout=10)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    stream = requests.head(f"{product.url}/events?topics=user", headers=headers, timeout=10)
    assert (stream.status_code, stream.headers["Content-Type"]) == (200, "text/event-stream")


def test_a_secret_answer_is_kept_nowhere(product: Product) -> None:
    """A method that answers with a secret makes no task of it, and no cache may keep its answer."""
    refused = product.call("system/tokens/create", name="hidden", _async=True)
    assert (refused.status_code, refused.json()["detail"]) == (400, {"argument": "_async"})
    assert "hidden" not in {row["name"] for row in product.ask("system/tokens/list")}
    headers = {"Authorization": f"Bearer {product.token}", "Prefer": "respond-async"}
    address = f"{product.url}/restmachine/system/tokens/create"
    given = requests.post(address, json={"name": "hidden"}, headers=headers, timeout=10)
    assert given.status_code == 200
    assert given.json().startswith("pfw_")
    assert given.headers["Cache-Control"] == "no-store"
