"""Macros that take longer than a page waits, and macros whose output is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gevent
import pytest
from gevent.event import Event
from pymongo import MongoClient

from portalfw.events import Change, EventBus
from portalfw.rest.declaration import Actor, method
from portalfw.store import Mongod
from wiki.pad import ADMIN, USER, Pad

CALL = "{{count demo/gate/wait}}"


class Gate(Actor, app="demo"):
    """Answers when a test lets it."""

    open: ClassVar[Event] = Event()
    asked: ClassVar[int] = 0

    @method(right="login", readonly=True, live=("machine",))
    def wait(self) -> list[int]:
        """Answer once the gate is open."""
        Gate.asked += 1
        self.open.wait(20)
        return [1, 2, 3]


@pytest.fixture(autouse=True)
def gate() -> Iterator[None]:
    Gate.open, Gate.asked = Event(), 0
    yield
    Gate.open.set()


def test_a_late_macro_fills_in(pad: Pad) -> None:
    """A slow macro is a placeholder with the address that gives it alone, and the same call goes on meanwhile."""
    pad.options = {"actors": (Gate,), "deadline": 0.1}
    html = pad.html(f"{CALL}\n\nText")
    assert "data-late hx" in html or "data-late>" in html
    assert "_macro=count-1&amp;_late=1" in html
    assert "Waiting for count" in html
    gevent.spawn_later(0.05, Gate.open.set)
    late = pad.twin("Page", _macro="count-1", _late="1").body.decode()
    assert ">3<" in late
    assert "data-late" not in late
    assert 'data-topics="machine"' in late
    assert "_late" not in late
    assert Gate.asked == 1


def test_a_late_macro_belongs_to_its_viewer(pad: Pad) -> None:
    """Who asks for another's late macro gets a call of his own."""
    pad.options = {"actors": (Gate,), "deadline": 0.1}
    pad.html(CALL)
    gevent.spawn_later(0.05, Gate.open.set)
    assert ">3<" in pad.twin("Page", by=ADMIN, _macro="count-1", _late="1").body.decode()
    assert Gate.asked == 2


def test_a_macro_that_never_answers_is_a_box(pad: Pad) -> None:
    """A macro that is late even for a late one is a box that says so."""
    pad.options = {"actors": (Gate,), "deadline": 0.05, "late_seconds": 0.1}
    pad.html(CALL)
    assert "no answer within 0.1 s" in pad.twin("Page", _macro="count-1", _late="1").body.decode()


def test_an_included_page_is_late_as_a_whole(pad: Pad) -> None:
    """A page with a slow macro, included in another, fills in late together with what is around it."""
    pad.options = {"actors": (Gate,), "deadline": 0.1}
    pad.view(f"Inside {CALL}", name="Inner")
    assert "Waiting for include" in pad.html("{{include Inner}}")
    gevent.spawn_later(0.05, Gate.open.set)
    late = pad.twin("Page", _macro="include-1", _late="1").body.decode()
    assert "Inside" in late
    assert ">3<" in late


KEPT = """\
from portalfw.wiki import Block, MacroContext, macro
from markupsafe import Markup

made = []

@macro(cache=60)
def numbered(ctx: MacroContext, word: str = "", topic: str = "", here: bool = False) -> Block:
    \"\"\"Tell how often it ran.\"\"\"
    made.append(word)
    if topic:
        ctx.watch(topic)
    where = ctx.here() if here else ""
    return Block(Markup("run {}{} for {}").format(len(made), where, ctx.principal.name), ctx.topics)
"""


@pytest.fixture
def bus(mongod: Mongod) -> Iterator[EventBus]:
    client: MongoClient[dict[str, Any]] = MongoClient(mongod.uri)
    yield EventBus(client["test-kept"])
    client.close()


@pytest.fixture
def keeping(pad: Pad, tmp_path: Path) -> Pad:
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "numbered.py").write_text(KEPT)
    return pad


def runs(pad: Pad, call: str, **options: Any) -> str:
    return pad.html(call, **options).partition("run ")[2].partition("<")[0]


def test_kept_by_arguments_and_viewer(keeping: Pad) -> None:
    """What a macro showed is shown again for the same arguments to the same viewer, on other pages too."""
    assert runs(keeping, "{{numbered}}") == "1 for alice"
    assert runs(keeping, "{{numbered}}", name="Other") == "1 for alice"
    assert runs(keeping, "{{numbered word:x}}") == "2 for alice"
    assert runs(keeping, "{{numbered}}", by=ADMIN) == "3 for root"
    assert runs(keeping, "{{numbered}}", by=USER) == "1 for alice"


def test_kept_until_its_topics_change(keeping: Pad, bus: EventBus) -> None:
    """A change of a topic drops what depends on it; without news of changes nothing that has topics is kept."""
    keeping.options = {"changes": bus}
    assert runs(keeping, "{{numbered topic:machine:3}}").startswith("1")
    assert runs(keeping, "{{numbered topic:machine:3}}").startswith("1")
    bus.publish(Change("machine", 4, "update", None))
    assert runs(keeping, "{{numbered topic:machine:3}}").startswith("1")
    bus.publish(Change("machine", 3, "update", None))
    assert runs(keeping, "{{numbered topic:machine:3}}").startswith("2")


def test_topics_without_news_are_not_kept(keeping: Pad) -> None:
    """Where nobody tells of changes, what depends on something is made anew."""
    assert runs(keeping, "{{numbered topic:machine}}").startswith("1")
    assert runs(keeping, "{{numbered topic:machine}}").startswith("2")


def test_what_reads_its_page_is_not_kept(keeping: Pad) -> None:
    """A macro that read the page's address is asked again, since another page would get its address."""
    assert runs(keeping, "{{numbered here:true}}").startswith("1/pad/Page")
    assert runs(keeping, "{{numbered here:true}}", name="Other").startswith("2/pad/Other")
