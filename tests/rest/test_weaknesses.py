"""The weaknesses that the original was known for, each tried once against the running product."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
import requests
from product import REPOSITORY, Product, wait_for

from portalfw.content import Content
from portalfw.rest.declaration import Actor, Method, methods_of

EVIL = '<img src=x onerror="alert(1)">'
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(product: Product) -> Iterator[requests.Session]:
    """Sign in with the form, as a browser does."""
    with requests.Session() as session:
        form = {"name": "admin", "password": product.password}
        answer = session.post(f"{product.url}/login", data=form, headers=OURS, allow_redirects=False, timeout=20)
        assert answer.status_code == 303, answer.text
        yield session


def page(product: Product, path: str, **params: str) -> str:
    """Return the text of a page as the administrator sees it."""
    headers = {"Authorization": f"Bearer {product.token}"}
    return requests.get(f"{product.url}{path}", params=params, headers=headers, timeout=20).text


def asked_for(product: Product, name: str) -> None:
    """Leave ``name`` in the audit log, and wait until it can be read there."""
    product.call("system/usermanager/userget", name=name)
    told = lambda: any(row["arguments"].get("name") == name for row in product.ask("system/audits/listAudits"))  # noqa: E731
    wait_for(told, 5, "the audit record")


def test_values_are_not_markup(product: Product) -> None:
    """What somebody typed is shown as text, in tables, titles and error pages."""
    asked_for(product, EVIL)
    shown = (page(product, "/system/Audits"), page(product, "/grid/Jobs", by=EVIL), page(product, f"/{EVIL}/Home"))
    for html in shown:
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html


def test_values_are_not_macros(product: Product) -> None:
    """What somebody typed is neither a macro call nor an expression, wherever a page shows it."""
    typed = "${7 * 191} {{count api:system/usermanager/listUsers}} {% if 1 %}yes{% endif %}"
    asked_for(product, typed)
    for html in (page(product, "/system/Audits"), page(product, "/grid/Jobs", by=typed)):
        assert "1337" not in html
        assert "7 * 191" in html
        assert "{{count api:" in html
        assert "{% if 1 %}" in html


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {}],
)
def test_another_site_cannot_make_a_browser_write(
    product: Product, browser: requests.Session, headers: dict[str, str]
) -> None:
    """A call with only the cookie is refused unless the browser says that our own page makes it."""
    address = f"{product.url}/restmachine/lab/kettle/lock"
    assert browser.post(address, data={"key": "k"}, headers=headers, timeout=20).status_code == 403
    assert browser.post(f"{product.url}/logout", headers=headers, timeout=20).status_code == 403
    assert browser.post(address, data={"key": "k"}, headers=OURS, timeout=20).status_code == 200


def changing() -> list[Method]:
    """Return every method of the product that changes something."""
    actors = {
        value
        for module in Content([REPOSITORY]).modules("actors")
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Actor) and value.app
    }
    return [method for actor in actors for method in methods_of(actor) if not method.declaration.readonly]


def test_following_a_link_changes_nothing(product: Product, browser: requests.Session) -> None:
    """No method that changes something answers GET, and a link to /logout signs nobody out."""
    methods = changing()
    assert len(methods) > 20
    for method in methods:
        answer = browser.get(f"{product.url}/restmachine/{method.address}", headers=OURS, timeout=20)
        assert answer.status_code == 405, method.address
    browser.get(f"{product.url}/logout", headers=OURS, timeout=20)
    assert browser.get(f"{product.url}/restmachine/system/usermanager/whoami", timeout=20).json()["name"] == "admin"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "javascript:alert(1)"],
)
def test_signing_in_leads_nowhere_else(product: Product, target: str) -> None:
    """After signing in a browser stays on the portal, whatever the link to the form said."""
    form = {"name": "admin", "password": product.password, "next": target}
    answer = requests.post(f"{product.url}/login", data=form, headers=OURS, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    ("address", "argument"),
    [
        ("system/usermanager/userget", "name"),
        ("system/audits/listAudits", "user"),
        ("system/audits/listAudits", "tag"),
        ("system/gridmanager/getJobs", "state"),
        ("system/errorconditionhandler/get", "id"),
        ("cloudapi/machines/get", "machineId"),
        ("cloudapi/cloudspaces/get", "cloudspaceId"),
        ("cloudapi/disks/list", "accountId"),
    ],
)
def test_arguments_are_never_database_operators(product: Product, address: str, argument: str) -> None:
    """An object where a text or a number belongs is refused; as text it is just a text that finds nothing."""
    for operator in ({"$ne": ""}, {"$gt": 0}, {"$where": "true"}):
        body = product.call(address, **{argument: operator})
        assert (body.status_code, body.json()["detail"]["argument"]) == (400, argument), body.text
        text = product.call(address, **{argument: json.dumps(operator)})
        assert text.status_code in {400, 404} or text.json() == [], text.text
    form = {"name[$ne]": "", "password[$ne]": ""}
    assert requests.post(f"{product.url}/login", data=form, headers=OURS, timeout=20).status_code == 401


def raw(product: Product, path: str, **headers: str) -> tuple[int, bytes]:
    """GET a path exactly as it is written, which other clients tidy up first."""
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("up", ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "....//", "/", "%2f"])
def test_no_path_leads_out_of_a_folder(product: Product, up: str) -> None:
    """Files outside the bundle and the folder of images are out of reach, even for an agent."""
    found = next(product.state.rglob("credential"))
    agent = {"Authorization": f"Bearer {json.loads(found.read_bytes())['credential']}"}
    (product.state / "images").mkdir(exist_ok=True)
    (product.state / "images" / "proof").write_text("inside")
    assert raw(product, "/agent/files/proof", **agent) == (200, b"inside")
    for depth in (1, 2, 3, 4):
        for path in (f"/agent/files/{up * depth}admin-password", f"/agent/files/{up * depth}etc/passwd"):
            status, body = raw(product, path, **agent)
            assert status != 200, path
            assert product.password.encode() not in body
        status, body = raw(product, f"/static/bundle/{up * depth}manifest.json")
        assert status in {200, 303, 404}, body
        status, body = raw(product, f"/static/bundle/{up * depth}app.py")
        assert b"import " not in body, status


def test_secrets_stay_out_of_records(product: Product) -> None:
    """A password is neither in the audit record of a good call or a failed one, nor in the log, nor on a page."""
    secret = "correct-horse-battery"
    wish = {"username": "keeper", "password": secret, "emails": "keeper@example.org"}
    assert product.call("system/usermanager/create", **wish).status_code == 200
    assert product.call("system/usermanager/create", **wish).status_code != 200
    assert product.call("system/usermanager/create", password=secret, groups=[secret[:0] + "nobody"]).status_code == 400
    query = requests.post(f"{product.url}/restmachine/lab/kettle/lock", params={"key": secret}, timeout=20)
    assert query.status_code == 401
    records = product.ask("system/audits/listAudits", limit=100)
    assert [row for row in records if row["arguments"].get("username") == "keeper"]
    assert secret not in json.dumps(records)
    assert secret not in page(product, "/system/Audits")
    assert secret not in (product.state / "log" / "portalfw.log").read_text()


def test_rights_hold_for_every_form_of_a_page(product: Product) -> None:
    """Who may not read a page gets neither its source, nor its data, nor one macro of it."""
    for path in ("/system/Home", "/system/Home.md", "/system/Home.json", "/system/Home?_macro=calls-1"):
        answer = requests.get(f"{product.url}{path}", allow_redirects=False, timeout=20)
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/login")


def test_a_session_is_only_in_the_cookie(product: Product, browser: requests.Session) -> None:
    """Each sign-in makes a new session, and an address cannot carry one."""
    (cookie,) = [one.value for one in browser.cookies]
    address = f"{product.url}/restmachine/system/usermanager/whoami"
    for name in ("authkey", "sessionid", "portalfw_session"):
        assert requests.get(address, params={name: cookie or ""}, timeout=20).json()["name"] == "guest"
    form = {"name": "admin", "password": product.password}
    browser.post(f"{product.url}/login", data=form, headers=OURS, allow_redirects=False, timeout=20)
    assert [one.value for one in browser.cookies] != [cookie]
