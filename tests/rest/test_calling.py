"""How calls are made: arguments in every form, packed answers, tags, sizes and limits."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests
from cloud_steps import Cloud
from product import Product, running, wait_for

from portalfw.rest.limits import MOST, Buckets, Rate
from portalfw.web.app import LARGEST_REQUEST

TASTE = "lab/samovar/taste"
LEAVES = "lab/samovar/leaves"
LOCATION = "127"  # what the Go clients make of http://127.0.0.1


def url(product: Product, address: str) -> str:
    return f"{product.url}/restmachine/{address}"


def taste(product: Product, **arguments: Any) -> Any:
    """Call as the Python client does: an empty POST with everything in the query string."""
    answer = requests.post(url(product, TASTE), params=arguments, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


@pytest.mark.parametrize("text", ["True", "true", "TRUE", "1", "yes", "on", "t"])
def test_true_in_every_spelling(product: Product, text: str) -> None:
    """Every spelling of true that clients use is true."""
    assert taste(product, strong=text)["strong"] is True


@pytest.mark.parametrize("text", ["False", "false", "FALSE", "0", "no", "off", "f"])
def test_false_in_every_spelling(product: Product, text: str) -> None:
    """Every spelling of false that clients use is false, never the truth of a non-empty text."""
    assert taste(product, strong=text)["strong"] is False


def test_what_is_no_boolean_is_refused(product: Product) -> None:
    """Other words than those for true and false are an error that names the argument."""
    answer = requests.post(url(product, TASTE), params={"strong": "maybe"}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["message"] == "Argument strong: must be true or false, not 'maybe'."


def test_repeated_names_make_a_list(product: Product) -> None:
    """A list is a repeated name, one value, JSON text, or nothing."""
    assert taste(product, cups=[10, 20])["cups"] == [10, 20]
    assert taste(product, cups=10)["cups"] == [10]
    assert taste(product, cups="[10, 20]")["cups"] == [10, 20]
    assert taste(product, cups="")["cups"] == []
    assert taste(product)["cups"] == []


def test_what_is_left_out_has_its_default(product: Product) -> None:
    """Left out, empty and null arguments are those not given; an empty text stays a text where it may be one."""
    default = {"strong": None, "cups": [], "temperature": 90.0, "note": None, "label": "plain"}
    assert taste(product) == default
    assert taste(product, strong="", temperature="") == default
    assert taste(product, note="")["note"] == ""
    assert product.ask(TASTE, strong=None, temperature=None, cups=None, label=None) == default
    missing = product.call("lab/kettle/echo", cupCount=None)
    assert missing.json()["message"] == "Argument cupCount is missing."


def test_numbers_may_be_text(product: Product) -> None:
    """Decimal text is a number, in query string, form and JSON."""
    assert taste(product, temperature="80.5", cups="7") == {
        "strong": None,
        "cups": [7],
        "temperature": 80.5,
        "note": None,
        "label": "plain",
    }
    assert product.ask(TASTE, temperature="80")["temperature"] == 80


def test_arguments_of_all_sources_are_merged(product: Product) -> None:
    """Query string, form and JSON body add up; the body wins."""
    answer = requests.post(
        url(product, TASTE), params={"label": "query", "cups": [1, 2]}, json={"label": "body"}, timeout=10
    ).json()
    assert (answer["label"], answer["cups"]) == ("body", [1, 2])
    answer = requests.post(url(product, TASTE), params={"label": "query"}, data={"note": "form"}, timeout=10).json()
    assert (answer["label"], answer["note"]) == ("query", "form")


def test_multipart_bodies(product: Product) -> None:
    """A multipart body gives its fields and its uploaded texts, large ones too; what is no text is refused."""
    long = "leaf " * 200_000
    files: dict[str, Any] = {
        "label": (None, "multipart"),
        "cups": (None, "[1, 2]"),
        "note": ("note.txt", long.encode()),
    }
    answer = requests.post(url(product, TASTE), files=files, timeout=10).json()
    assert (answer["label"], answer["cups"], answer["note"]) == ("multipart", [1, 2], long)
    field = requests.post(url(product, TASTE), files={"note": (None, long)}, timeout=10)
    assert field.json()["note"] == long
    binary = requests.post(url(product, TASTE), files={"note": ("note.bin", b"\xff\xfe")}, timeout=10)
    assert binary.status_code == 400
    assert binary.json()["detail"]["argument"] == "note"


def test_unknown_arguments_are_logged_once(product: Product) -> None:
    """An argument that a method does not have is ignored, and its name stands in the log once, never its value."""
    for _ in range(3):
        taste(product, sugarLumps="verySweet")
    taste(product, _async="0")
    text = (product.state / "log" / "portalfw.log").read_text()
    assert text.count("lab/samovar/taste has no argument 'sugarLumps'") == 1
    assert "verySweet" not in text
    assert "_async" not in text


def test_long_answers_are_packed_for_those_who_take_it(product: Product) -> None:
    """JSON and HTML above a kilobyte travel in gzip if the client accepts it, whatever their size."""
    for count in (200, 20_000):
        address = url(product, LEAVES) + f"?count={count}"
        plain = requests.get(address, headers={"Accept-Encoding": "identity"}, timeout=10)
        assert "Content-Encoding" not in plain.headers
        packed = requests.get(address, headers={"Accept-Encoding": "gzip"}, timeout=10, stream=True)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"] == "application/json"
        assert "Accept-Encoding" in packed.headers["Vary"]
        body = packed.raw.read()
        assert len(body) == int(packed.headers["Content-Length"]) < len(plain.content) / 3
        assert orjson.loads(gzip.decompress(body)) == plain.json()
    page = requests.get(f"{product.url}/login", headers={"Accept-Encoding": "gzip"}, timeout=10)
    assert page.headers["Content-Encoding"] == "gzip"
    assert page.headers["Content-Type"].startswith("text/html")


def test_short_answers_and_streams_are_not_packed(product: Product) -> None:
    """What fits a packet, event streams and what is packed already are left as they are."""
    short = requests.get(url(product, LEAVES) + "?count=2", headers={"Accept-Encoding": "gzip"}, timeout=10)
    assert "Content-Encoding" not in short.headers
    headers = {"Accept-Encoding": "gzip", "Authorization": f"Bearer {product.token}"}
    with requests.get(f"{product.url}/events?topics=user", headers=headers, timeout=10, stream=True) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert "Content-Encoding" not in stream.headers


def test_reads_carry_a_tag_and_spare_the_body(product: Product) -> None:
    """A readonly GET has an ETag; who has that answer gets 304 without a body until it changes."""
    address = url(product, LEAVES)
    first = requests.get(address, params={"count": "300"}, timeout=10)
    tag = first.headers["ETag"]
    for encoding in ("gzip", "identity"):
        headers = {"If-None-Match": tag, "Accept-Encoding": encoding}
        again = requests.get(address, params={"count": "300"}, headers=headers, timeout=10)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    other = requests.get(address, params={"count": "301"}, headers={"If-None-Match": tag}, timeout=10)
    assert other.status_code == 200
    assert other.headers["ETag"] != tag
    posted = requests.post(address, params={"count": "300"}, headers={"If-None-Match": tag}, timeout=10)
    assert posted.status_code == 200
    assert "ETag" not in posted.headers
    assert "no-store" in posted.headers["Cache-Control"]


def test_too_large_requests_are_refused_in_the_one_shape(product: Product) -> None:
    """A body above the limit is 413, as JSON, as a form and as an upload."""
    large = b"x" * (LARGEST_REQUEST + 1)
    for sent in (
        {"data": large, "headers": {"Content-Type": "application/json"}},
        {"data": b"note=" + large, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"files": {"note": large}},
    ):
        answer = requests.post(url(product, TASTE), timeout=30, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert set(answer.json()) == {"error", "message", "detail", "id"}
        assert answer.json()["error"] == "too-large"


@pytest.fixture(scope="module")
def strict() -> Iterator[Product]:
    """Run a product that allows a user two and an address one request a second."""
    within = ("env", "PORTALFW_RATE_PER_USER=2/20", "PORTALFW_RATE_PER_ADDRESS=1/5")
    with running("--hypervisor", "test", within=within) as found:
        yield found


def test_who_asks_too_often_waits(strict: Product) -> None:
    """A user beyond its burst gets 429 with Retry-After, other users and the health checks do not."""
    other = strict.user_token("patient")
    answers = [strict.call("system/usermanager/whoami") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 10 <= len(refused) <= 25
    assert refused[0].headers["Retry-After"] == "1"
    assert set(refused[0].json()) == {"error", "message", "detail", "id"}
    assert refused[0].json()["error"] == "too-many"
    assert strict.call("system/usermanager/whoami", other).status_code == 200
    assert all(requests.get(f"{strict.url}/healthz", timeout=10).status_code == 200 for _ in range(30))
    wait_for(lambda: strict.call("system/usermanager/whoami").status_code == 200, 5, "the bucket filling again")


def test_a_page_asked_for_too_often_is_a_page(strict: Product) -> None:
    """Whom a page is refused for asking too often reads so on a page, with Retry-After; its data say it as JSON."""
    headers = {"Authorization": f"Bearer {strict.token}"}
    for path, kind in (("/system/Home", "text/html; charset=utf-8"), ("/system/Home.json", "application/json")):
        answers = [requests.get(strict.url + path, headers=headers, timeout=10) for _ in range(25)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused[0].headers["Content-Type"] == kind
        assert int(refused[0].headers["Retry-After"]) >= 1
        assert "Too many requests" in refused[0].text
    wait_for(lambda: strict.call("system/usermanager/whoami").status_code == 200, 5, "the bucket filling again")


def test_guests_and_wrong_credentials_share_their_address(strict: Product) -> None:
    """Requests without a valid credential are counted by address, so that tokens cannot be guessed quickly."""
    wrong = [strict.call("system/usermanager/whoami", "pfw_wrong").status_code for _ in range(10)]
    assert set(wrong) == {401, 429}
    assert requests.post(f"{strict.url}/restmachine/system/usermanager/whoami", timeout=10).status_code == 429
    assert requests.get(f"{strict.url}/healthz", timeout=10).status_code == 200


def test_buckets_fill_by_time_and_forget_the_longest_unused() -> None:
    """A bucket allows its burst at once, then its rate; the number of remembered buckets is bounded."""
    clock = [0.0]
    rate = Rate.parse("2/3")
    assert rate is not None
    buckets = Buckets(rate, lambda: clock[0])
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    clock[0] = 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0, 0.5]
    for number in range(2 * MOST):
        buckets.take(str(number))
    assert len(buckets._known) == MOST
    assert Rate.parse("0") is None
    assert Rate.parse("5") == Rate(5, 10)


class GoClient:
    """Calls as the Go clients do: every call is asynchronous, and its outcome is polled for."""

    def __init__(self, product: Product) -> None:
        """Keep one connection, as they do."""
        self.link = requests.Session()
        self.link.headers["Authorization"] = f"bearer {product.token}"
        self.base = f"{product.url}/"  # a configured address with a slash at its end
        self.waited = 0

    def post(self, address: str, arguments: dict[str, Any]) -> requests.Response:
        return self.link.post(f"{self.base}/restmachine/{address}", json=arguments, allow_redirects=False, timeout=30)

    def call(self, address: str, **arguments: Any) -> tuple[bool, Any]:
        """Return whether the call went well, and its result or error."""
        given = self.post(address, {"_async": True, **arguments})
        if given.status_code not in {200, 201, 202}:
            return False, given.text
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            polled = self.post("system/task/get", {"taskguid": given.text.strip('"')})
            assert polled.status_code == 200, polled.text
            found = polled.json()
            assert isinstance(found, list)
            if found:
                return found[0], found[1]
            self.waited += 1
        raise AssertionError(f"{address} did not end")

    def ask(self, address: str, **arguments: Any) -> Any:
        ok, result = self.call(address, **arguments)
        assert ok is True, f"{address}: {result}"
        return result


def test_a_go_client_makes_an_account_and_a_cloudspace(product: Product) -> None:
    """The sequence of a Go client works to its end: make, poll until deployed, use, delete, and meet the errors."""
    client = GoClient(product)
    account = client.ask(
        "cloudbroker/account/create", name="gophers", username="admin", emailaddress="gophers@example.org"
    )
    assert type(account) is int
    assert account in [row["id"] for row in client.ask("cloudapi/accounts/list")]
    assert client.waited == 0  # each first poll had the answer; with the real client each other costs 2 s
    limits = dict.fromkeys(
        ("maxMemoryCapacity", "maxCPUCapacity", "maxVDiskCapacity", "maxNetworkPeerTransfer", "maxNumPublicIP"), -1
    )
    wish = {"access": "admin@itsyouonline", "accountId": account, "location": LOCATION, "mode": "public", "type": "vgw"}
    ok, refused = client.call("cloudapi/cloudspaces/create", name="burrow", **limits, **wish, privatenetwork="not one")
    assert ok is False, refused
    space = client.ask("cloudapi/cloudspaces/create", name="burrow", **limits, **{**wish, "access": "admin"})
    assert type(space) is int
    get = lambda: client.ask("cloudapi/cloudspaces/get", cloudspaceId=space)  # noqa: E731 - polled
    wait_for(lambda: get()["status"] == "DEPLOYED", 60, "the cloudspace being deployed")
    cloud = Cloud.__new__(Cloud)
    cloud.product, cloud.account = product, account
    machine = client.ask(
        "cloudapi/machines/create",
        cloudspaceId=space,
        name="gopher",
        memory=128,
        vcpus=1,
        imageId=cloud.image(),
        disksize=1,
    )
    assert [disk["type"] for disk in client.ask("cloudapi/machines/get", machineId=machine)["disks"]] == ["B"]
    assert client.ask("cloudapi/machines/delete", machineId=machine, permanently=True) is True
    ok, error = client.call("cloudapi/machines/get", machineId=machine)
    assert ok is False
    assert "does not exist" in error
    assert client.ask("cloudapi/machines/list", cloudspaceId=space) == []
    assert client.ask("cloudapi/cloudspaces/delete", cloudspaceId=space, permanently=True) is True
    ok, found = client.call("cloudapi/cloudspaces/get", cloudspaceId=space)
    assert not ok or found["status"] == "DESTROYED"
    assert space not in [row["id"] for row in client.ask("cloudapi/cloudspaces/list", includedeleted=False)]
    ok, error = client.call("cloudapi/cloudspaces/delete", cloudspaceId=987_654, permanently=True)
    assert ok is False
    assert "987654" in error
