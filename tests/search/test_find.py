"""What is found, in which order, and how it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.cloud.models import Account, Cloudspace, Machine, Nic
from portalfw.controller.documents import Job
from portalfw.errorconditions import ErrorCondition
from portalfw.search.shelf import Entry

if TYPE_CHECKING:
    from .conftest import House

PAGE = """---
title: Drain a node
---
# Before you begin

Tell the **owners** of the [machines](Machines), then wait for the *quiesce* window.

{{table api:cloudbroker/machine/list}}

| Step | Command |
|------|---------|
| 1    | `virsh migrate --live` |
"""


def machine(name: str, ip: str = "10.9.9.9", **more: Any) -> int:
    """Make a machine of account 1 and cloudspace 1, without any node."""
    nic = Nic(network_id=1, device_name="eth0", mac_address=f"52:54:00:00:00:{ip[-2:]}", ip_address=ip)
    given = {"account_id": 1, "cloudspace_id": 1, "hostname": name, "status": "RUNNING", "reference_id": name, **more}
    return int(Machine.create(name=name, image_id=1, memory=128, vcpus=1, nics=[nic], **given).id)


@pytest.fixture(scope="module")
def world(house: House) -> dict[str, int]:
    """Make some machines, a cloudspace and a page, and wait until they are found."""
    account = Account.create(name="Harbor Health", status="CONFIRMED").id
    Cloudspace.create(
        name="web", account_id=account, gid=1, location="x", private_network="10.9.9.0/24", external_network_id=1,
        external_ip="185.14.22.2", status="DEPLOYED",
    )  # fmt: skip
    names = ("web-12", "web", "webshop", "shop-web", "cobweb", "other")
    made = {name: machine(name, f"10.0.0.{number}") for number, name in enumerate(names, 10)}
    made["mail"] = machine("mail", "10.0.0.30", description="Speaks to the web")
    house.write("handbook/Drain.md", PAGE)
    house.until("quiesce", [("page", "Drain a node")])
    house.until("machine: mail", [("machine", "mail")])
    return made


def test_the_surest_stands_first(house: House, world: dict[str, int]) -> None:
    """A machine of just this name is first, then names that begin so, words of names, parts of them, then text."""
    assert world
    found = [title for kind, title in house.find("web") if kind == "machine"]
    assert found[0] == "web"
    assert set(found[1:3]) == {"web-12", "webshop"}
    assert found[3:] == ["shop-web", "cobweb", "mail"]


def test_groups_stand_by_their_best_hit(house: House, world: dict[str, int]) -> None:
    """A kind with an exact hit stands before a kind that has only the word in its text."""
    assert world
    kinds = [group["kind"] for group in house.groups("mail")]
    assert kinds[0] == "machine"


@pytest.mark.parametrize("way", ["#{}", "machine {}", "machine #{}", "vm {}", "machine: {}", "Machines: #{}"])
def test_by_id(house: House, world: dict[str, int], way: str) -> None:
    """A machine is found by its id, in any way of saying that."""
    found = house.groups(way.format(world["cobweb"]))
    machines = next(group for group in found if group["kind"] == "machine")["hits"]
    assert machines[0]["title"] == "cobweb"
    assert machines[0]["href"] == f"/cbgrid/Virtual%20Machine?id={world['cobweb']}"
    assert machines[0]["state"] == "RUNNING"
    assert machines[0]["note"] == str(world["cobweb"])


def test_a_kind_narrows(house: House, world: dict[str, int]) -> None:
    """Only what has the kind before the colon is found; @ is for people, # for pages."""
    assert world
    assert house.find("cloudspace: web") == [("cloudspace", "web")]
    assert {kind for kind, _ in house.find("@adm")} == {"user", "group"}
    assert house.find("# drain")[0] == ("page", "Drain a node")
    assert {kind for kind, _ in house.find("# web")} <= {"page"}
    assert ("user", "admin") in house.find("users:")


def test_by_address(house: House, world: dict[str, int]) -> None:
    """An address finds what has it, its beginning all below it; the address is shown with the match marked."""
    assert world
    assert house.find("10.0.0.12") == [("machine", "webshop")]
    assert house.find("185.14") == [("cloudspace", "web")]
    assert len([kind for kind, _ in house.find("10.0.0") if kind == "machine"]) == 7
    hit = house.groups("10.0.0.12")[0]["hits"][0]
    assert hit["snippet"] == ["", "10.0.0.12", ""]


def test_several_words(house: House, world: dict[str, int]) -> None:
    """All words must stand in the name or text, in any order, by their beginning."""
    assert world
    assert house.find("shop web kind:") == []
    assert house.find("web shop")[0] == ("machine", "shop-web")
    assert house.find("harb hea") == [("account", "Harbor Health")]


@pytest.mark.parametrize("text", ["wbeshop", "webshp", "weebshop", "websnop"])
def test_a_typing_error_is_forgiven(house: House, world: dict[str, int], text: str) -> None:
    """Letters swapped, left out, doubled or wrong still lead to the name; short words do not become others."""
    assert world
    assert ("machine", "webshop") in house.find(text)
    assert house.find("wxb") == []


def test_pages_are_found_without_their_markup(house: House, world: dict[str, int]) -> None:
    """Headings, words, table cells and macros' names are found; what was only markup is not shown."""
    assert world
    for text in ("Before you begin", "owners quiesce", "virsh migrate", "{{table", "handbook drain", "Drain"):
        assert ("page", "Drain a node") in house.find(text, limit=50), text
    hit = house.groups("machines quiesce")[0]["hits"][0]
    assert "".join(hit["snippet"]) == "Tell the owners of the machines, then wait for the quiesce window. Step Command…"
    assert hit["snippet"][1::2] == ["machines", "quiesce"]
    assert hit["href"] == "/handbook/Drain"
    assert house.groups("before begin")[0]["hits"][0]["snippet"] == ["", "Before", " you ", "begin", ""]


def test_marks_are_data_not_markup(house: House) -> None:
    """Text that looks like HTML stays text: a hit is parts of text, and the page that shows it escapes them."""
    house.write("handbook/Odd.md", "# Odd\n\nA `<b onclick=alert(1)>zebra</b>` & more\n")
    house.until("zebra", [("page", "Odd")])
    hit = house.groups("zebra")[0]["hits"][0]
    assert hit["snippet"] == ["A <b onclick=alert(1)>", "zebra", "</b> & more"] or "<" not in "".join(hit["snippet"])


def test_what_changes_is_found_as_it_is_now(house: House, world: dict[str, int]) -> None:
    """Machines and pages that are made, renamed, changed or deleted are found so a moment later."""
    assert world
    new = machine("ephemeral", "10.0.1.1")
    house.until("ephemeral", [("machine", "ephemeral")])
    Machine.collection().update_one({"_id": new}, {"$set": {"name": "lasting", "status": "HALTED"}})
    house.until("machine: lasting", [("machine", "lasting")])
    assert house.groups("lasting")[0]["hits"][0]["state"] == "HALTED"
    Machine.collection().update_one({"_id": new}, {"$set": {"live": False}})
    house.until("lasting", [])
    house.write("handbook/Drain.md", PAGE.replace("quiesce", "hibernation"))
    house.until("hibernation", [("page", "Drain a node")])
    assert house.find("quiesce") == []
    (house.spaces / "handbook/Odd.md").unlink(missing_ok=True)
    house.until("zebra", [])


def test_after_too_many_changes_all_is_read_anew(house: House, world: dict[str, int]) -> None:
    """When changes were dropped since too many came at once, the index is as the database is."""
    assert world
    search = house.runtime.search
    ghost = Entry("999999", "poltergeist", (), "", "", "", {"id": 999999, "row": {"id": 999999}, "names": []})
    search._index.put("machine", [ghost])
    assert house.find("poltergeist") == [("machine", "poltergeist")]
    subscription = search._objects._subscription
    assert subscription is not None
    subscription.overrun = True
    machine("trigger", "10.0.2.1")
    house.until("poltergeist", [])
    house.until("machine: trigger", [("machine", "trigger")])
    machine("afterwards", "10.0.2.2")
    house.until("machine: afterwards", [("machine", "afterwards")])


def test_limits(house: House, world: dict[str, int]) -> None:
    """No more hits of a kind than asked for come, and never more than 50; that there are more is said."""
    assert world
    group = house.groups("machine: web", limit=2)[0]
    assert len(group["hits"]) == 2
    assert group["more"]
    assert not house.groups("machine: web", limit=1000)[0]["more"]
    assert house.find("") == []


def test_jobs_and_failures_by_their_ids(house: House) -> None:
    """A job is found by its number, an error condition by the id that somebody was told."""
    job = Job.create(node_id=1, script="libvirt/startmachine", sha256="x", status="OK").id
    ErrorCondition(
        id="k1", kind="call", place="a/b/c", error="KeyError", message="nothing", count=1,
        occurrences=[{"id": "e-0badcafe", "at": 1.0, "user": "admin"}],
    ).save()  # fmt: skip
    assert ("job", "libvirt/startmachine") in house.find(f"job {job}")
    assert ("job", "libvirt/startmachine") in house.find(f"job-{job}")
    assert house.find("e-0badcafe") == [("error condition", "KeyError")]
    house.until("KeyError", [("error condition", "KeyError")])


@pytest.mark.parametrize(
    "text",
    ['"', "'; drop table x", "*", "-", "a OR", "NEAR(", "title:", "^x", "\x00", "(", "{", "…", "%", "é" * 500,
     "a " * 300, "#", "@", ":", "machine:", "# ", "\\", "١٢", "machine ٣", "𝔘𝔫𝔦", "\ud83d"],
)  # fmt: skip
def test_anything_may_be_typed(house: House, text: str) -> None:
    """Whatever is typed is answered."""
    assert house.call(text.encode("utf-8", "surrogatepass")).status_code == 200  # type: ignore[arg-type]


def test_an_unknown_kind_is_said(house: House) -> None:
    """Asking for a kind that does not exist names those that do."""
    response = house.call("x", kinds="dragon")
    assert response.status_code == 400
    assert "external network" in response.json()["message"]
