"""Passkeys over HTTP: what holds signs in, whatever does not is refused without a word about whose it was."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import pytest
import requests
from authenticator import PRESENT, Authenticator
from product import Product
from pymongo import MongoClient

from portalfw.auth.passkeys_site import site_at
from portalfw.store import Mongod

PASSWORD = "a-long-password"
REFUSED = "This passkey was not accepted"


class Person:
    """A user with a browser at the portal's name, and an authenticator."""

    def __init__(self, product: Product, name: str) -> None:
        """Begin signed out."""
        self.product = product
        self.name = name
        self.url = product.url.replace("127.0.0.1", "localhost")
        self.authenticator = Authenticator(self.url)
        self.browser = browser_of(self.url)

    def ask(self, method: str, **arguments: Any) -> requests.Response:
        """Call a method as the browser's scripts do."""
        return self.browser.post(f"{self.url}/restmachine/system/{method}", json=arguments, timeout=10)

    def who(self) -> str:
        return str(self.ask("usermanager/whoami").json()["name"])

    def sign_in_with_password(self) -> None:
        form = {"name": self.name, "password": PASSWORD}
        answer = self.browser.post(f"{self.url}/login", data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 303

    def enrol(self, name: str = "Laptop") -> int:
        """Sign in with the password, add the authenticator's passkey and return its id."""
        self.sign_in_with_password()
        options = self.ask("passkeys/begin").json()
        answer = self.ask("passkeys/enrol", name=name, credential=self.authenticator.create(options))
        assert answer.status_code == 200, answer.text
        return int(answer.json())

    def options(self) -> dict[str, Any]:
        answer = self.browser.post(f"{self.url}/login/passkey/options", timeout=10)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def give(self, credential: Any) -> requests.Response:
        """Post an answer to the sign-in page's form."""
        form = {"credential": json.dumps(credential), "next": "/cbgrid"}
        return self.browser.post(f"{self.url}/login/passkey", data=form, allow_redirects=False, timeout=10)

    def sign_in(self) -> requests.Response:
        """Sign in with the passkey in a browser that knows nothing yet."""
        self.browser = browser_of(self.url)
        return self.give(self.authenticator.get(self.options()))


def browser_of(url: str) -> requests.Session:
    session = requests.Session()
    session.headers.update({"Sec-Fetch-Site": "same-origin", "Origin": url})
    return session


@pytest.fixture
def person(product: Product, request: pytest.FixtureRequest) -> Person:
    """A new user, named after the test."""
    name = f"key.{request.node.name.removeprefix('test_')[:34]}"
    product.ask("system/usermanager/create", username=name, password=PASSWORD)
    return Person(product, name)


def test_passkey_signs_in_without_name_password_or_code(person: Person) -> None:
    """A passkey opens a new session, as whose it is, and leads where the page was asked for."""
    person.enrol()
    before = person.browser.cookies["portalfw_session"]
    answer = person.give(person.authenticator.get(person.options()))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cbgrid")
    assert person.who() == person.name
    assert person.browser.cookies["portalfw_session"] != before
    person.browser.cookies.set("portalfw_session", before, domain="localhost.local", path="/")
    assert person.who() == "guest"
    row = person.product.ask("system/passkeys/list", user=person.name)[0]
    assert (row["name"], row["site"], row["kept"], row["suspect"]) == ("Laptop", "localhost", "one device", None)
    assert row["used"] >= row["created"]


def test_options_name_nobody(person: Person) -> None:
    """What a guest is told before signing in is the same whether anybody has a passkey: a challenge, and no names."""
    person.enrol()
    person.browser = browser_of(person.url)
    options = person.options()
    assert {name: options[name] for name in ("rpId", "allowCredentials", "userVerification")} == {
        "rpId": "localhost",
        "allowCredentials": [],
        "userVerification": "required",
    }
    assert len(options["challenge"]) >= 43


def test_answer_is_taken_once(person: Person) -> None:
    """The same answer a second time is refused, even by the browser that gave it first, and with no counter to tell."""
    person.authenticator.counts = False
    person.enrol()
    person.browser = browser_of(person.url)
    options = person.options()
    cookie = dict(person.browser.cookies)
    credential = person.authenticator.get(options)
    assert person.give(credential).status_code == 303
    person.browser = browser_of(person.url)
    person.browser.cookies.update(cookie)
    replayed = person.give(credential)
    assert replayed.status_code == 401
    assert REFUSED in replayed.text
    assert person.who() == "guest"


def test_challenge_is_one_browsers(person: Person) -> None:
    """An answer that another browser brings is refused: nobody can be signed in as somebody else from afar."""
    person.enrol()
    credential = person.authenticator.get(person.options())
    person.browser = browser_of(person.url)
    assert person.give(credential).status_code == 401
    person.options()
    assert person.give(credential).status_code == 401


def test_old_challenge_is_refused(person: Person) -> None:
    """A challenge whose five minutes are over is refused though MongoDB has not dropped it yet."""
    person.enrol()
    options = person.options()
    with MongoClient(Mongod(person.product.state / "mongod").uri) as client:
        past = {"$set": {"expires": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)}}
        assert client["portalfw"]["passkey_challenge"].update_many({}, past).modified_count
    assert person.give(person.authenticator.get(options)).status_code == 401


def test_page_of_another_origin_is_refused(person: Person) -> None:
    """What was signed for another origin, or for another site's name, is refused."""
    person.enrol()
    person.authenticator.origin = "http://localhost:1"
    assert person.sign_in().status_code == 401
    person.authenticator.origin = "https://localhost.evil.example"
    assert person.sign_in().status_code == 401
    person.authenticator.origin = person.url
    person.browser = browser_of(person.url)
    assert person.give(person.authenticator.get(person.options(), name="evil.example")).status_code == 401
    assert person.sign_in().status_code == 303


def test_site_of_the_passkey_counts(person: Person) -> None:
    """A passkey made for one name of the portal does not work at another one."""
    person.enrol()
    person.url = person.url.replace("localhost", "other.localhost")
    person.authenticator.origin = person.url
    person.browser = browser_of(person.url)
    address = person.product.url
    headers = {"Host": person.url.removeprefix("http://")}
    options = person.browser.post(f"{address}/login/passkey/options", headers=headers, timeout=10).json()
    assert options["rpId"] == "other.localhost"
    form = {"credential": json.dumps(person.authenticator.get(options))}
    cookies = dict(person.browser.cookies)
    answer = person.browser.post(f"{address}/login/passkey", data=form, headers=headers, cookies=cookies, timeout=10)
    assert answer.status_code == 401


def test_another_users_passkey_is_refused(product: Product, person: Person) -> None:
    """A passkey that claims to be another user's, by its id or its handle, opens neither account."""
    product.ask("system/usermanager/create", username="key.other", password=PASSWORD)
    other = Person(product, "key.other")
    person.enrol()
    other.enrol()
    own = person.authenticator.handle
    person.authenticator.handle = other.authenticator.handle
    assert person.sign_in().status_code == 401
    person.authenticator.identity = other.authenticator.identity
    assert person.sign_in().status_code == 401
    assert person.who() == "guest"
    person.authenticator.handle = own
    assert person.sign_in().status_code == 401


def test_unverified_user_is_refused(person: Person) -> None:
    """Possession alone stands for both factors neither at enrolment nor at sign-in."""
    person.authenticator.flags = PRESENT
    person.sign_in_with_password()
    options = person.ask("passkeys/begin").json()
    assert options["authenticatorSelection"]["userVerification"] == "required"
    answer = person.ask("passkeys/enrol", name="Laptop", credential=person.authenticator.create(options))
    assert answer.status_code == 400
    assert "user was not verified" in answer.json()["message"]
    person.authenticator = Authenticator(person.url)
    person.enrol()
    person.authenticator.flags = PRESENT
    assert person.sign_in().status_code == 401


def test_counter_that_goes_back_is_refused_and_recorded(product: Product, person: Person) -> None:
    """A copy, whose counter lags, is refused; operators read why, and see the passkey marked; the browser does not."""
    identity = person.enrol()
    person.authenticator.count = 7
    assert person.sign_in().status_code == 303
    person.authenticator.count = 5
    refused = person.sign_in()
    assert refused.status_code == 401
    assert "copied" not in refused.text
    assert product.ask("system/passkeys/list", user=person.name)[0]["suspect"] is not None
    record = product.ask("system/audits/listAudits", user=person.name, changes=True)[0]
    assert (record["call"], record["status"]) == ("login/passkey", 401)
    assert "copied" in record["error"]
    assert f"passkeyId:{identity}" in record["tags"]


def test_sign_ins_are_on_record(product: Product, person: Person) -> None:
    """A sign-in with a passkey is recorded as calls are."""
    person.enrol()
    person.sign_in()
    record = product.ask("system/audits/listAudits", user=person.name, changes=True)[0]
    assert (record["call"], record["status"], record["error"]) == ("login/passkey", 200, None)


def test_who_is_refused_hears_the_same_words(product: Product, person: Person) -> None:
    """A removed passkey, an unknown one and an inactive user's look the same."""
    identity = person.enrol()
    stranger = Person(product, "nobody")
    unknown = stranger.sign_in()
    product.ask("system/usermanager/editUser", username=person.name, active=False)
    inactive = person.sign_in()
    product.ask("system/usermanager/editUser", username=person.name, active=True)
    assert person.sign_in().status_code == 303
    assert person.ask("passkeys/remove", passkeyId=identity).status_code == 200
    removed = person.sign_in()
    assert unknown.status_code == inactive.status_code == removed.status_code == 401
    assert unknown.text == inactive.text == removed.text
    assert REFUSED in unknown.text


def test_failures_are_locked_out(product: Product, person: Person) -> None:
    """Failures count as those with a password do, and who has to wait cannot sign in with a passkey either."""
    person.enrol()
    person.authenticator.origin = "http://localhost:1"
    for _ in range(10):
        assert person.sign_in().status_code == 401
    person.authenticator.origin = person.url
    refused = person.sign_in()
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    product.ask("system/usermanager/clearLock", lockedId=f"user:{person.name}")
    assert person.sign_in().status_code == 303


def test_adding_and_removing_need_the_password_or_a_fresh_sign_in(product: Product, person: Person) -> None:
    """A sign-in of long ago, and an API token, are not enough: the password is asked for."""
    identity = person.enrol()
    token = product.ask("system/tokens/create", name="x", user=person.name)
    assert product.call("system/passkeys/remove", token=token, passkeyId=identity).status_code == 403
    with MongoClient(Mongod(product.state / "mongod").uri) as client:
        client["portalfw"]["session"].update_many({"user": person.name}, {"$inc": {"created": -301}})
    for method, arguments in (("begin", {}), ("remove", {"passkeyId": identity})):
        refused = person.ask(f"passkeys/{method}", **arguments)
        assert (refused.status_code, refused.json()["detail"]) == (403, {"argument": "current"})
        assert person.ask(f"passkeys/{method}", **arguments, current="guess").status_code == 403
    assert 'name="current"' in person.browser.get(f"{person.url}/login/new-passkey", timeout=10).text
    assert person.ask("passkeys/begin", current=PASSWORD).status_code == 200
    assert person.ask("passkeys/remove", passkeyId=identity, current=PASSWORD).json() is True
    assert person.ask("passkeys/list").json() == []


def test_passkeys_are_their_owners(product: Product, person: Person) -> None:
    """Others can neither see, rename nor remove a passkey; an administrator resets them; a deleted user's are gone."""
    identity = person.enrol()
    token = product.user_token(f"{person.name[:30]}.x")
    assert product.call("system/passkeys/list", token=token, user=person.name).status_code == 403
    assert product.call("system/passkeys/rename", token=token, passkeyId=identity, name="Mine").status_code == 403
    assert product.call("system/passkeys/remove", token=token, passkeyId=identity).status_code == 403
    assert product.call("system/passkeys/reset", token=token, user=person.name).status_code == 403
    assert person.ask("passkeys/rename", passkeyId=identity, name=" ").status_code == 400
    assert person.ask("passkeys/rename", passkeyId=identity, name="Phone").json() is True
    assert [row["name"] for row in product.ask("system/passkeys/list", user=person.name)] == ["Phone"]
    assert product.ask("system/passkeys/reset", user=person.name) == 1
    assert product.call("system/passkeys/reset", user=person.name).status_code == 409
    person.authenticator = Authenticator(person.url)
    person.enrol()
    product.ask("system/usermanager/delete", username=person.name)
    product.ask("system/usermanager/create", username=person.name, password=PASSWORD)
    assert person.sign_in().status_code == 401
    assert product.ask("system/passkeys/list", user=person.name) == []


def test_enrolment_is_answered_once_by_who_asked(product: Product, person: Person) -> None:
    """The same new passkey is not stored twice, nor for another user; the next one excludes it and has its handle."""
    person.enrol()
    options = person.ask("passkeys/begin").json()
    assert options["user"] == {"id": person.authenticator.handle, "name": person.name, "displayName": person.name}
    assert options["excludeCredentials"][0]["transports"] == ["internal"]
    again = person.ask("passkeys/enrol", name="Again", credential=person.authenticator.create(options))
    assert again.status_code == 409
    assert "stored already" in again.json()["message"]
    late = person.ask("passkeys/enrol", name="Again", credential=person.authenticator.create(options))
    assert "Begin again" in late.json()["message"]
    options = person.ask("passkeys/begin").json()
    made = Authenticator(person.url).create(options)
    token = product.user_token(f"{person.name[:30]}.y")
    assert product.call("system/passkeys/enrol", token=token, name="Mine", credential=made).status_code == 400
    assert len(person.ask("passkeys/list").json()) == 1


def test_other_sites_cannot_ask(person: Person) -> None:
    """A page of another site gets no challenge and cannot post an answer."""
    person.browser.headers["Sec-Fetch-Site"] = "cross-site"
    assert person.browser.post(f"{person.url}/login/passkey/options", timeout=10).status_code == 403
    assert person.give({}).status_code == 403


def test_address_that_has_no_passkeys_says_so(product: Product) -> None:
    """Where browsers have no passkeys the page offers none, says why and where; a call is refused in the same words."""
    page = requests.get(f"{product.url}/login", timeout=10).text
    assert "Sign in with a passkey" not in page
    assert "Passkeys need the portal&#39;s name, not its address." in page
    assert f'href="http://localhost:{product.port}/login?next=%2F"' in page.replace("next=/", "next=%2F")
    browser = browser_of(product.url)
    refused = browser.post(f"{product.url}/login/passkey/options", timeout=10)
    assert refused.status_code == 400
    assert "name, not its address" in refused.json()["message"]
    named = requests.get(f"http://localhost:{product.port}/login", timeout=10).text
    assert "Sign in with a passkey" in named


@pytest.mark.parametrize(
    ("origin", "name", "problem", "better"),
    [
        ("https://cloud.example.org", "cloud.example.org", "", ""),
        ("https://Cloud.example.org:8443", "cloud.example.org", "", ""),
        ("http://localhost:8200", "localhost", "", ""),
        ("http://pf.localhost", "pf.localhost", "", ""),
        ("http://127.0.0.1:8200", "", "name", "http://localhost:8200"),
        ("https://[::1]", "", "name", "https://localhost"),
        ("https://192.0.2.7", "", "name", ""),
        ("http://cloud.example.org", "", "https", "https://cloud.example.org"),
        ("http://cloud.example.org:8200", "", "https", ""),
        ("http://notlocalhost", "", "https", "https://notlocalhost"),
        ("http://host:99999999", "", "address", ""),
        ("", "", "address", ""),
    ],
)
def test_where_passkeys_work(origin: str, name: str, problem: str, better: str) -> None:
    """Passkeys need a name, and https but for the machine itself; elsewhere there is a reason and, if known, a way."""
    site = site_at(origin)
    assert (site.name, site.better) == (name, better)
    assert problem in site.problem
    assert bool(site.problem) == bool(problem)


def test_address_of_a_refusal_leads_back(product: Product) -> None:
    """Who reloads the page that refused a passkey comes to the sign-in page."""
    answer = requests.get(f"{product.url}/login/passkey", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


def test_garbage_is_refused_not_stumbled_over(person: Person) -> None:
    """Whatever bytes an answer is made of, it is refused, never an error of ours, and signs nobody in."""
    person.enrol()
    source = random.Random(3)  # noqa: S311 - the same garbage each time
    for _ in range(40):
        options = person.options()
        credential = spoiled(person.authenticator.get(options), source)
        status = person.give(credential).status_code
        assert status in {400, 401, 429}, credential
        person.product.ask("system/usermanager/clearLock", lockedId=f"user:{person.name}")
        person.product.ask("system/usermanager/clearLock", lockedId="address:127.0.0.1")


def spoiled(credential: dict[str, Any], source: random.Random) -> Any:
    """Return an answer with one part missing, of another kind, or with other letters or bytes in it."""
    response = credential["response"]
    place = source.choice([credential, response])
    name = source.choice(sorted(place))
    value = place[name]
    if isinstance(value, str) and source.random() < 0.7:
        cut = source.randrange(len(value))
        place[name] = value[:cut] + source.choice(["", "A", "é", "!", "AAAA" * 99, "\x00"]) + value[cut + 1 :]
    else:
        place[name] = source.choice([None, 3, [], {}, "", [value], {"a": value}, True])
    return source.choice([credential, credential, credential, [credential], None, 7])
