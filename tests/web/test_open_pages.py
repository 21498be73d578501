"""Open pages stay live: what changes is told to those who may read it, once for many changes, and never lost."""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

import gevent
import pytest
import requests
from browsing import sign_in
from playwright.sync_api import Browser, Route, expect
from product import Product, wait_for

from portalfw.audience import Audiences, Hearing, readers, signed_in
from portalfw.auth.principal import Principal
from portalfw.events import Change, EventBus
from portalfw.web.beats import LONGEST, Beats
from portalfw.web.screens import Screen, Screens
from portalfw.wiki.fragments import Fragments
from portalfw.wiki.views import Twin

ACCOUNTS = "/cbgrid/Accounts?sort-table-1=-id"  # so that a new one comes first
SINCE = re.compile(r'id="live"[^>]* data-since="([^"]+)"')
TABLE = re.compile(r'id="macro-([^"]+)" data-version="(\w+)" data-topics="account cloudspace" hx-get="([^"]+)"')


def account(product: Product, owner: str) -> tuple[int, str]:
    """Make an account; return its id and name."""
    name = f"live-{uuid.uuid4().hex[:8]}"
    made = product.ask("cloudbroker/account/create", name=name, username=owner, emailaddress="a@example.org")
    return int(made), name


def told(product: Product, token: str, topics: str) -> Iterator[list[str]]:
    """Yield what each event of a stream names, first of all nothing: it is open."""
    headers = {"Authorization": f"Bearer {token}"}
    with requests.get(f"{product.url}/events?topics={topics}", headers=headers, stream=True, timeout=60) as answer:
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line == ": open":
                yield []
            elif line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))["topics"]


@pytest.mark.browser
def test_a_change_reaches_an_open_table(browser: Browser, product: Product) -> None:
    """A row that somebody else makes appears in the table that is open, without a reload."""
    context = browser.new_context(base_url=product.url)
    page = context.new_page()
    page.goto(f"/login?next={quote(ACCOUNTS)}")
    sign_in(page, "admin", product.password)
    expect(page.locator("#live")).to_have_text("Live", timeout=30_000)
    page.evaluate("document.body.dataset.same = 'yes'")
    _, name = account(product, "admin")
    expect(page.locator("tr", has_text=name)).to_be_visible(timeout=30_000)
    assert page.evaluate("document.body.dataset.same") == "yes"
    context.close()


def test_a_tenant_hears_only_of_what_he_may_read(product: Product) -> None:
    """Another's account changes without a word to a tenant; of his own he hears."""
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    with closing(told(product, product.user_token(tenant, "user"), "account,machine,cloudspace")) as stream:
        assert next(stream) == []
        account(product, "admin")
        own, _ = account(product, tenant)
        assert next(stream) == [f"account:{own}"]


def test_who_may_not_sign_in_any_more_hears_nothing_more(product: Product) -> None:
    """The stream of a user who is deleted ends."""
    name = f"leaver-{uuid.uuid4().hex[:8]}"
    with closing(told(product, product.user_token(name, "user"), "account")) as stream:
        assert next(stream) == []
        product.ask("system/usermanager/delete", username=name)
        assert list(stream) == []


def test_a_table_that_is_the_same_is_not_sent_again(product: Product) -> None:
    """Who shows a macro as it is gets 204; who has heard of a later change gets it anew."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {product.token}"
    found = TABLE.search(session.get(f"{product.url}{ACCOUNTS}", timeout=60).text)
    assert found
    address, shown = f"{product.url}{found[3].replace('&amp;', '&')}", {"Portal-Version": found[2]}
    assert session.get(address, headers=shown, timeout=60).status_code == 204
    with closing(told(product, product.token, "account")) as stream:
        next(stream)
        _, name = account(product, "admin")
        next(stream)
    fresh = session.get(address, headers=shown, timeout=60)
    assert fresh.status_code == 200
    assert name in fresh.text


def events(product: Product, token: str, query: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the data of each event of a stream, first of all nothing: it is open."""
    headers, name = {"Authorization": f"Bearer {token}"}, ""
    with requests.get(f"{product.url}/events?{query}", headers=headers, stream=True, timeout=60) as answer:
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line == ": open":
                yield "", {}
            elif line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def test_a_stream_brings_what_its_own_page_has_asked_for(product: Product) -> None:
    """A table that a page has asked for comes with the word of its change, and to that page of that viewer alone."""
    session, page = requests.Session(), secrets.token_hex(16)
    session.headers["Authorization"] = f"Bearer {product.token}"
    found = TABLE.search(session.get(f"{product.url}{ACCOUNTS}", timeout=60).text)
    assert found
    address = f"{product.url}{found[3].replace('&amp;', '&')}"
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    theirs = product.user_token(tenant, "user")
    with (
        closing(events(product, product.token, f"topics=account&page={page}")) as stream,
        closing(events(product, theirs, f"topics=account&page={page}")) as other,
    ):
        next(stream), next(other)
        assert session.get(address, headers={"Portal-Page": page}, timeout=60).status_code == 200
        _, name = account(product, "admin")
        (kind, brought), (_, told) = next(stream), next(stream)
        assert kind == "macro"
        assert told["brought"] == [brought["id"]] == [f"macro-{found[1]}"]
        assert name in gzip.decompress(base64.b64decode(brought["gzip"])).decode()
        own, _ = account(product, tenant)
        assert next(other) == ("change", {"topics": [f"account:{own}"], "brought": []})


def test_what_a_stream_has_sent_is_sent_again_by_the_next_one(product: Product) -> None:
    """A page that opens its stream anew is brought what the one before may have lost; that one brings nothing more."""
    session, page = requests.Session(), secrets.token_hex(16)
    session.headers["Authorization"] = f"Bearer {product.token}"
    text = session.get(f"{product.url}{ACCOUNTS}", timeout=60).text
    found, since = TABLE.search(text), SINCE.search(text)
    assert found
    assert since
    query = f"topics=account&page={page}"
    with closing(events(product, product.token, query)) as first:
        next(first)
        session.get(f"{product.url}{found[3].replace('&amp;', '&')}", headers={"Portal-Page": page}, timeout=60)
        _, name = account(product, "admin")
        assert [next(first)[0], next(first)[0]] == ["macro", "change"]
        with closing(events(product, product.token, f"{query}&since={since[1]}")) as second:
            next(second)
            kind, brought = next(second)
            assert kind == "macro"
            assert name in gzip.decompress(base64.b64decode(brought["gzip"])).decode()
            next(second)
            account(product, "admin")
            assert next(second)[0] == "macro"
            kind, told = next(first)
            assert (kind, told["brought"]) == ("change", [])


def test_what_is_rendered_for_a_stream_that_has_been_replaced_counts_as_not_sent(bus: EventBus) -> None:
    """A page whose stream is replaced while its news are rendered is brought them by the new stream."""
    name, viewer, opened = secrets.token_hex(16), Principal("ann"), list[Screen]()
    versions = iter(["one", "two", "two"])
    ours = Twin(b'<div id="macro-1" data-version="one" data-topics="tea">', "text/html")

    def view(*_: object) -> Twin:
        version = next(versions)
        if version == "two" and len(opened) == 1:
            opened.append(screens.open(name, viewer, "second"))  # as it may while the database is asked
        return Twin(ours.body.replace(b"one", version.encode()), "text/html")

    screens = Screens(view)
    opened.append(screens.open(name, viewer, "first"))
    screens.note(name, viewer, "/", {}, ours)
    assert list(screens.news(opened[0], "first", viewer, bus.position, ["tea"])) == [("macro-1", b"")]
    assert list(screens.news(opened[0], "first", viewer, bus.position, ["tea"])) == []
    ((element, event),) = screens.news(opened[1], "second", viewer, bus.position, ["tea"])
    assert element == "macro-1"
    assert event.startswith(b"event: macro")


@pytest.mark.browser
def test_what_comes_by_itself_takes_nothing_from_the_viewer(browser: Browser, product: Product) -> None:
    """Filter, focus and words stay when rows come by themselves, and once the page has asked it asks no more."""
    context = browser.new_context(base_url=product.url)
    page = context.new_page()
    page.goto(f"/login?next={quote(f'{ACCOUNTS}&where-table-1-name=li')}")
    sign_in(page, "admin", product.password)
    expect(page.locator("#live")).to_have_text("Live", timeout=30_000)
    field = page.locator("[data-where]").first
    field.fill("live-")
    expect(page).to_have_url(re.compile("live-"), timeout=30_000)
    _, first = account(product, "admin")
    expect(page.locator("tr", has_text=first)).to_be_visible(timeout=30_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "_macro=table-1" in request.url else None)
    _, second = account(product, "admin")
    expect(page.locator("tr", has_text=second)).to_be_visible(timeout=30_000)
    assert asked == []
    expect(field).to_have_value("live-")
    expect(field).to_be_focused()
    expect(page.locator("tbody tr", has_not_text="live-")).to_have_count(0)
    context.close()


@pytest.mark.browser
def test_a_request_that_is_lost_with_its_macro_holds_nothing_up(browser: Browser, product: Product) -> None:
    """A table that left the page while it was asked for, and whose request then fails, is brought as ever."""
    context = browser.new_context(base_url=product.url)
    page = context.new_page()
    page.goto(f"/login?next={quote(ACCOUNTS)}")
    sign_in(page, "admin", product.password)
    expect(page.locator("#live")).to_have_text("Live", timeout=30_000)
    _, first = account(product, "admin")  # the page asks for its table, and is brought it from then on
    expect(page.locator("tr", has_text=first)).to_be_visible(timeout=30_000)
    held: list[Route] = []
    page.route("**/*_macro=table-1*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright wants a function
    with page.expect_request("**/*_macro=table-1*"):
        page.locator("#macro-table-1").dispatch_event("portal:refresh")
    page.locator("#macro-table-1").evaluate("macro => macro.replaceWith(macro.cloneNode(true))")
    with page.expect_event("requestfailed"):
        held[0].abort()
    _, second = account(product, "admin")
    expect(page.locator("tr", has_text=second)).to_be_visible(timeout=30_000)
    context.close()


@pytest.mark.browser
def test_a_stream_that_is_silent_is_opened_again(browser: Browser, product: Product) -> None:
    """A stream says that it lives; when a page has not heard that for long, it opens another one."""
    context = browser.new_context(base_url=product.url)
    page = context.new_page()
    page.clock.install()
    page.goto(f"/login?next={quote(ACCOUNTS)}")
    sign_in(page, "admin", product.password)
    expect(page.locator("#live")).to_have_text("Live", timeout=30_000)
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url) if "/events" in request.url else None)
    network, alive = context.new_cdp_session(page), list[str]()
    network.on("Network.eventSourceMessageReceived", lambda message: alive.append(message["eventName"]))
    network.send("Network.enable")
    page.clock.fast_forward(25_000)
    wait_for(lambda: page.title() and "alive" in alive, 30, "the word that the stream lives")
    page.clock.fast_forward(40_000)
    expect(page.locator("#live")).to_have_text("Live")
    assert opened == []
    page.clock.fast_forward(46_000)
    wait_for(lambda: page.title() and opened, 30, "another stream")
    expect(page.locator("#live")).to_have_text("Live", timeout=30_000)
    context.close()


def test_gathering_loses_no_change(bus: EventBus) -> None:
    """However many listen and however fast things change, everybody is told of the last change, and seldom."""
    audiences = Audiences()
    audiences.add("tea", lambda _: signed_in)
    beats = Beats(bus, audiences)
    listeners = [beats.listen(Principal(f"user-{number}"), ["tea"], None) for number in range(450)]
    for number in range(60):
        bus.publish(Change("tea", number, "update", {"_id": number}))
        gevent.sleep(0.02)
    heard: list[set[str]] = [set() for _ in listeners]
    times = [0] * len(listeners)

    def follow(number: int) -> None:
        while "tea:59" not in heard[number]:
            topics, _ = listeners[number].wait(30)
            times[number] += bool(topics)
            heard[number] |= topics

    gevent.joinall([gevent.spawn(follow, number) for number in range(len(listeners))], timeout=30)
    assert all(len(one) == 60 for one in heard)
    assert max(times) <= 2 + 60 * 0.1 / LONGEST


def change(bus: EventBus, topic: str, row: dict[str, Any] | None = None) -> None:
    """Publish that a document has changed, or is deleted if there is no ``row``."""
    collection, _, number = topic.partition(":")
    bus.publish(Change(collection, int(number), "update" if row is not None else "delete", row))


def let_beat(bus: EventBus, beats: Beats, number: int) -> None:
    """Wait until what has changed so far has been told, by a change that only this hears of."""
    with closing(beats.listen(Principal("clock", frozenset(["level1"])), ["clock"], None)) as clock:
        change(bus, f"clock:{number}", {})
        assert clock.wait(30)[0] == {f"clock:{number}"}


def test_a_stream_that_follows_another_at_once_is_told_what_that_was_not(bus: EventBus) -> None:
    """What changes while a new stream is told of what it missed, or while its word is sent, the next one is told."""
    audiences = Audiences()

    def slow(row: Mapping[str, Any]) -> Hearing:
        if row["name"] == "first":
            change(bus, "tea:2", {"name": "second"})  # as it may while the database is asked
        return signed_in

    audiences.add("tea", slow)
    beats, viewer, before = Beats(bus, audiences), Principal("ann"), bus.position
    change(bus, "tea:1", {"name": "first"})
    let_beat(bus, beats, 1)
    with closing(beats.listen(viewer, ["tea"], before)) as one:
        assert one.wait(30)[0] == {"tea:1"}
        let_beat(bus, beats, 2)
        change(bus, "tea:3", {"name": "third"})
        let_beat(bus, beats, 3)
        with closing(beats.listen(viewer, ["tea"], one.position)) as other:
            assert other.wait(30)[0] == {"tea:2", "tea:3"}


def test_a_stream_that_opens_takes_no_word_from_others(bus: EventBus) -> None:
    """Who listens already hears of a change although another stream opens just then, also of what is deleted."""
    audiences = Audiences()
    audiences.add("tea", lambda row: readers([row["owner"]]))
    beats, before = Beats(bus, audiences), bus.position
    change(bus, "tea:1", {"owner": "ann"})
    let_beat(bus, beats, 1)
    with closing(beats.listen(Principal("ann"), ["tea"], before)) as ann:
        assert ann.wait(30)[0] == {"tea:1"}
        change(bus, "tea:1")
        with closing(beats.listen(Principal("bob"), ["tea"], before)) as bob:
            assert ann.wait(30)[0] == {"tea:1"}
            assert bob.wait(0)[0] == set()


def test_an_unforeseen_error_silences_no_page(bus: EventBus, caplog: pytest.LogCaptureFixture) -> None:
    """When it cannot be told who may hear, all pages are told to look, and later changes are told as ever."""
    audiences = Audiences()

    def broken(row: Mapping[str, Any]) -> Hearing:
        if not row:
            raise KeyError("owner")
        return signed_in

    audiences.add("tea", broken)
    beats = Beats(bus, audiences)
    with closing(beats.listen(Principal("ann"), ["tea", "milk:3"], None)) as ann:
        change(bus, "tea:1", {})
        assert ann.wait(30)[0] == {"tea", "milk:3"}
        assert "KeyError" in caplog.text
        change(bus, "tea:2", {"owner": "ann"})
        assert ann.wait(30)[0] == {"tea:2"}
    audiences.add("tea", lambda _: lambda one: {"ann": True}[one.name])
    with closing(beats.listen(Principal("bob"), ["tea"], None)) as bob:
        change(bus, "tea:3", {"owner": "ann"})
        assert bob.wait(30)[0] == {"tea"}


def test_a_job_is_told_by_its_script_too(bus: EventBus) -> None:
    """Who watches what a script answers hears of its jobs only; who watches one job or all of them hears as ever."""
    beats, operator = Beats(bus, Audiences()), Principal("ann", groups=frozenset({"level1"}))
    pools, lists, first, every = (
        beats.listen(operator, [topic], None) for topic in ("job:libvirt/pools", "job:libvirt/lists", "job:1", "job")
    )
    bus.publish(Change("job", 1, "update", {"_id": 1, "script": "libvirt/pools"}))
    for listener in (pools, first, every):
        assert listener.wait(30)[0] == {"job:1", "job:libvirt/pools"}
    assert lists.wait(0) == (set(), [])
    assert bus.missed(f"{bus.position.partition('-')[0]}-0", ["job:libvirt/pools", "job:2"]) == {"job:libvirt/pools"}


def test_a_fragment_serves_all_who_see_the_same(bus: EventBus) -> None:
    """It is rendered once for viewers with the same groups, unless it asked for a name, and anew after a change."""
    fragments, made = Fragments(bus), list[str]()
    before = bus.position

    def shared(viewer: Principal) -> Twin:
        made.append("shared")
        return Twin(b"x" if viewer.has_group("level1") else b"y", "text/html")

    def personal(viewer: Principal) -> Twin:
        made.append("personal")
        return Twin(viewer.name.encode(), "text/html")

    one, two, other = (Principal(name, frozenset(["level1"])) for name in ("al", "bl", "cu"))
    for viewer in (one, two, other):
        assert fragments.answer("table", viewer, before, shared) == Twin(b"x", "text/html")
    assert fragments.answer("table", Principal("du"), before, shared) == Twin(b"y", "text/html")
    assert made == ["shared", "shared"]
    bus.publish(Change("tea", 1, "update", {"_id": 1}))
    fragments.answer("table", one, before, shared)
    assert made == ["shared", "shared"]
    fragments.answer("table", one, bus.position, shared)
    assert made == ["shared"] * 3
    for viewer in (one, two):
        assert fragments.answer("mine", viewer, before, personal) == Twin(viewer.name.encode(), "text/html")
