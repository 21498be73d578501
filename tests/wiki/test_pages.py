"""Addresses, rights, parameters, data and menus of pages."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from portalfw.auth.principal import Principal
from portalfw.errors import UnauthenticatedError
from portalfw.wiki import Moved, PageView, Twin, Wiki
from wiki.pad import ADMIN, GUEST, PLANNER, USER, Pad, make_wiki


def seen(wiki: Wiki, path: str, by: Principal = USER, **params: str) -> PageView:
    view = wiki.view(by, path, params)
    assert isinstance(view, PageView)
    return view


@pytest.mark.parametrize(
    "path", ["/demo/Machines", "/demo/machines", "/DEMO/MACHINES/", "/demo/any/thing/machines", "//demo//machines"]
)
def test_pages_are_found_in_any_spelling(wiki: Wiki, path: str) -> None:
    """Letter case, extra slashes and folders between do not matter."""
    assert seen(wiki, path).title == "Machines"


def test_underscores_are_blanks(pad: Pad) -> None:
    """``Virtual_machine`` is the page ``Virtual Machine``, also below a folder."""
    (pad.space / "deep").mkdir()
    (pad.space / "deep" / "Virtual Machine.md").write_text("deep down\n")
    for name in ("virtual_machine", "Virtual  Machine", "virtual machine"):
        assert "deep down" in str(seen(pad.wiki, f"/pad/{name}").html)


def test_home_pages(wiki: Wiki) -> None:
    """``/`` is the default space, and a space's address its page Home."""
    assert [seen(wiki, path).title for path in ("/", "/demo", "/demo/", "/demo/home")] == ["Dashboard"] * 4


def test_unknown_pages(wiki: Wiki) -> None:
    """An unknown page or space is 404, names itself and shows a way back."""
    page, space = seen(wiki, "/demo/Nowhere"), seen(wiki, "/nowhere")
    assert page.fault is not None
    assert space.fault is not None
    assert (page.status, page.fault.message) == (404, "There is no page 'Nowhere' in the space Demo.")
    assert page.fault.back is not None
    assert page.fault.back.href == "/demo"
    assert page.nav
    assert space.status == 404


def test_rights(wiki: Wiki) -> None:
    """A page's rights replace those of its space by name; guests sign in, users are refused, administrators may all."""
    assert seen(wiki, "/demo/plans", PLANNER).status == 200
    assert seen(wiki, "/demo/plans", ADMIN).status == 200
    refused = seen(wiki, "/demo/plans")
    assert refused.fault is not None
    assert refused.status == 403
    assert "planners" in refused.fault.message
    assert seen(wiki, "/secret").status == 403
    assert seen(wiki, "/secret/nothing").status == 403
    assert seen(wiki, "/secret", ADMIN).status == 200
    for path in ("/demo", "/demo/plans", "/demo/nowhere", "/demo/machines.json", "/demo/machines.md"):
        with pytest.raises(UnauthenticatedError):
            wiki.view(GUEST, path, {})


def test_rights_of_single_users_and_everyone(pad: Pad) -> None:
    """``user:NAME``, ``login`` and ``guest`` are names in a table of rights."""
    assert pad.view("---\nrights: {guest: R}\n---\nx", by=GUEST).status == 200
    assert pad.view("---\nrights: {login: R, user: ''}\n---\nx", by=Principal("bob")).status == 200
    alice = "---\nrights: {'user:alice': R, user: ''}\n---\nx"
    assert pad.view(alice).status == 200
    assert pad.view(alice, by=PLANNER).status == 403
    assert pad.view("---\nrights: {user: X}\n---\nx").status == 400


@pytest.mark.parametrize("name", ["machines.md", "Machine.json", "plans.md", "plans.json"])
def test_twins_obey_rights(wiki: Wiki, name: str) -> None:
    """Data and source of a page are for those who may see the page."""
    answer = wiki.view(USER, f"/demo/{name}", {"id": "3"})
    assert isinstance(answer, PageView if "plans" in name else Twin)
    assert (answer.status == 403) == ("plans" in name)


def test_twins(wiki: Wiki) -> None:
    """``.json`` answers the page's data, ``.md`` its source."""
    data = wiki.view(USER, "/demo/machine.json", {"id": "3"})
    source = wiki.view(USER, "/demo/Machine.md", {})
    assert isinstance(data, Twin)
    assert isinstance(source, Twin)
    answer = json.loads(data.body)
    assert answer["title"] == answer["data"]["machine"]["name"] == "web-1"
    assert answer["params"] == {"id": 3}
    assert source.body.decode() == Path(__file__).with_name("content").joinpath("spaces/demo/Machine.md").read_text()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "The address lacks id: add ?id=… (a whole number)."),
        ({"id": "x"}, "id in the address must be a whole number, not 'x'."),
        ({"id": "9" * 30}, "id in the address must be a whole number, not '999999999999999999999999999999'."),
        ({"id": "1.5"}, "id in the address must be a whole number, not '1.5'."),
        ({"id": "٣"}, None),
    ],
)
def test_wrong_parameters_are_400(wiki: Wiki, params: dict[str, str], message: str | None) -> None:
    """A missing or malformed query parameter is named, in words, with status 400."""
    fault = seen(wiki, "/demo/machine", **params).fault
    if message:
        assert fault is not None
        assert (fault.status, fault.message) == (400, message)


def test_parameter_types(pad: Pad) -> None:
    """Parameters may be optional or have a default, and are typed."""
    text = "---\nparams:\n  a: int = 4\n  b: str?\n  c: bool = no\n  d: float?\n---\n${a + 1} ${b} ${c} ${d}"
    assert "5 " in pad.html(text)
    assert "<p>8 x yes 1.5</p>" in pad.html(text, a="7", b="x", c="TRUE", d="1.5")


def test_a_declared_name_wins(pad: Pad) -> None:
    """A parameter may be called as a variable that every page has."""
    text = "---\nparams:\n  user: str?\n---\n[${user}] ${params.user}"
    assert "<p>[] <span" in pad.html(text)
    assert "<p>[bob] bob</p>" in pad.html(text, user="bob")


def test_unknown_objects_are_404(wiki: Wiki) -> None:
    """A page over an object that does not exist says so, with a way back."""
    fault = seen(wiki, "/demo/machine", id="99").fault
    assert fault is not None
    assert (fault.status, fault.message) == (404, "machine 99 does not exist.")


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        ("machine: demo/machines/secrets", 403, "alice may not do this"),
        ("machine: demo/machines/get", 400, "Argument machineId is missing"),
        ("machine: demo/machines/nothing", 404, "There is no method"),
        ("machine: demo/machines/delete machineId:3", 500, "changes something; a page may only read"),
        (
            "machine: demo/machines/get machineId:${other.id}\n  other: demo/machines/get machineId:${machine.id}",
            500,
            "use each other",
        ),
        ("machine: demo/machines/get 3", 500, "must be app/actor/method argument:value"),
    ],
)
def test_failing_data(pad: Pad, data: str, status: int, message: str) -> None:
    """What goes wrong with a page's data decides the status, and is said in words."""
    fault = pad.view(f"---\ndata:\n  {data}\n---\nx").fault
    assert fault is not None
    assert fault.status == status
    assert message in fault.message


def test_data_may_use_data(pad: Pad) -> None:
    """A data call may use the result of another, written in any order."""
    text = (
        "---\ndata:\n  second: demo/machines/get machineId:${first.id + 1}\n"
        "  first: demo/machines/get machineId:3\n---\n${second.name}"
    )
    assert "<p>db</p>" in pad.html(text)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("---\ntitle: [\n---\nx", 3, "front matter is not YAML"),
        ("---\ntitle: x\ncolour: red\n---\nx", 3, "front matter has no key 'colour'"),
        ("---\nparams:\n  id: number\n---\nx", 2, "parameter id must be int, str, float or bool"),
        ("---\ntitle: x\n---\nok\n\n${machine.", 6, "expected name or number"),
        ("one\n\n{% for x in y %}", 3, "Unexpected end of template"),
        ("one\n\ntwo ${1 / 0}", 3, "division by zero"),
        ("one ${'a' * 3}", 1, "* works on numbers only"),
        ("---\ntitle: ${1 / 0}\n---\n", 2, "division by zero"),
        ("{% macro f() %}{% endmacro %}", 1, "macro blocks are not available"),
        ("{% include 'x' %}", 1, "include blocks are not available"),
    ],
)
def test_mistakes_in_a_page_are_named(pad: Pad, text: str, line: int, message: str) -> None:
    """A page that cannot be understood says which line of it is wrong, without a trace."""
    fault = pad.view(text).fault
    assert fault is not None
    assert fault.status == 500
    assert fault.message.startswith(f"Page Page, line {line}: ")
    assert message in fault.message


def test_menus(wiki: Wiki) -> None:
    """Navigation and portals show what the viewer may read; the page and its parents are active."""
    view = seen(wiki, "/demo/machine", id="3")
    assert [(group.title, [item.label for item in group.items]) for group in view.nav] == [
        (None, ["Dashboard"]),
        ("Things", ["Machines", "Elsewhere"]),
    ]
    machines = view.nav[1].items[0]
    assert (machines.href, machines.icon, machines.active) == ("/demo/Machines", "pc-display", True)
    assert "Demo" in [portal.label for portal in view.portals]
    assert "Secret" not in [portal.label for portal in view.portals]
    assert "Secret" in [portal.label for portal in seen(wiki, "/demo", ADMIN).portals]
    planner = seen(wiki, "/demo", PLANNER)
    assert "Secret plans" in [item.label for item in planner.nav[1].items]
    assert view.breadcrumbs == [("Demo", "/demo"), ("Machines", "/demo/Machines"), ("web-1", "/demo/Machine?id=3")]


def test_navigation_without_a_file(pad: Pad) -> None:
    """A space without nav.md shows its pages that need no parameter, in their order."""
    (pad.space / "B.md").write_text("---\norder: 1\n---\n")
    (pad.space / "A.md").write_text("a\n")
    (pad.space / "C.md").write_text("---\nparams: {id: int}\n---\n")
    (pad.space / "Home.md").write_text("h\n")
    assert [item.label for item in pad.view("x").nav[0].items] == ["Home", "B", "A", "Page"]


def test_a_later_content_directory_wins(tmp_path: Path) -> None:
    """A page of a later content directory stands in place of the same page of an earlier one."""
    (tmp_path / "spaces" / "demo").mkdir(parents=True)
    (tmp_path / "spaces" / "demo" / "machines.md").write_text("---\ntitle: Ours\n---\n")
    wiki = make_wiki(tmp_path)
    assert seen(wiki, "/demo/Machines").title == "Ours"
    assert seen(wiki, "/demo/Home").title == "Dashboard"


def test_pages_follow_their_files(pad: Pad) -> None:
    """An edited, a new and a deleted page are seen at the next view."""
    assert "one" in pad.html("one")
    os.utime(pad.space / "Page.md", (1, 1))
    assert "two" in pad.html("two")
    (pad.space / "New.md").write_text("new")
    assert seen(pad.wiki, "/pad/new").status == 200
    (pad.space / "New.md").unlink()
    assert seen(pad.wiki, "/pad/new").status == 404


def test_rendering_is_pure(wiki: Wiki) -> None:
    """Showing a page calls no method that changes something (those of the test raise), and gives the same twice."""
    first, second = seen(wiki, "/demo/machine", id="3"), seen(wiki, "/demo/machine", id="3")
    assert first == second


def test_head(wiki: Wiki) -> None:
    """Title, state, grey line and actions of the head come from the front matter."""
    head = seen(wiki, "/demo/machine", id="3").head
    assert head is not None
    assert head.title == "web-1"
    assert 'title="HALTED"' in str(head.state)
    assert "pill" in str(head.state)
    assert "512\u00a0MiB" in str(head.sub)
    assert 'data-topics="machine:3"' in str(head.sub)
    assert 'data-action="demo/machines/start"' in str(head.actions)


def test_buttons_follow_the_state(wiki: Wiki) -> None:
    """A button whose condition does not hold is grey and says why."""
    head = seen(wiki, "/demo/machine", id="4").head
    assert head is not None
    assert 'disabled title="It runs already"' in str(head.actions)
    fresh = wiki.view(USER, "/demo/machine", {"id": "4", "_macro": "head-state"})
    assert isinstance(fresh, Twin)
    assert b'title="RUNNING"' in fresh.body


def test_aliases_lead_to_the_page(pad: Pad) -> None:
    """Another name of a page redirects to it with its query, twins too, unless a page has that name itself."""
    pad.view("---\naliases: [Old Name, Older]\n---\nNow", name="New")
    moved = pad.wiki.view(USER, "/pad/old_name", {"id": "3"})
    assert moved == Moved("/pad/New?id=3")
    assert pad.wiki.view(USER, "/pad/Older.md", {}) == Moved("/pad/New.md")
    assert "Now" in pad.html("{{include Older}}")
    assert pad.html("I am older", name="Older") == "<p>I am older</p>"


def test_aliases_tell_nothing_to_whom_may_not_read(pad: Pad) -> None:
    """The other name of a page that the viewer may not read leads nowhere."""
    pad.view("---\naliases: Old\nrights: {user: ''}\n---\nsecret", name="New")
    found = pad.wiki.view(USER, "/pad/Old", {})
    assert isinstance(found, PageView)
    assert found.status == 403


SECTIONS = """\
# Guide

Intro ${user.name}

## Drain a node {#drain}

Drain ${user.name} {{state RUNNING}}

### Detail

More

> ## Quoted
>
> Words

## Repair

{{state HALTED}}
"""


def test_a_section_is_included(pad: Pad) -> None:
    """Page#Heading includes what stands under a heading, with its values and macros, up to the next of its level."""
    pad.view(SECTIONS, name="Guide")
    html = pad.html("{{include 'Guide#Drain a node'}}")
    assert "Drain alice" in html
    assert "RUNNING" in html
    assert "More" in html
    assert "Quoted" in html
    assert "Intro" not in html
    assert "HALTED" not in html
    assert html.count("<div") == html.count("</div")
    assert "Intro" not in pad.html("{{include Guide#repair}}")
    assert "there is no heading" in pad.html("{{include Guide#Nowhere}}")
    assert "there is no heading" in pad.html("{{include Guide#quoted}}")
