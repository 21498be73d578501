"""Nobody finds what he may not read: no hit, no snippet, no hint that there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tenants import FATES, SECRET, make_tenant, people

from actors.cloud.models import Account, Cloudspace, Machine
from portalfw.auth.principal import Principal
from portalfw.controller.documents import Job, Node
from portalfw.errors import NotFoundError

from .conftest import wait_for

if TYPE_CHECKING:
    from .conftest import House

ARGUMENTS = {"account": "account_id", "cloudspace": "cloudspace_id", "machine": "machine_id"}
WIRES = {"account": "accountId", "cloudspace": "cloudspaceId", "machine": "machineId"}
#: Fates that leave an object without its parent; the cloud forbids them, so the search need not know them.
ORPHANS = {"destroyed account", "destroyed cloudspace"}


@pytest.fixture(scope="module")
def tenants(house: House) -> dict[str, dict[str, int]]:
    made = {fate: make_tenant(fate) for fate in FATES if fate not in ORPHANS}
    last = str(made["destroyed machine"]["cloudspaceId"])
    wait_for(lambda: last in ids(house, Principal("x", frozenset({"admin"})), "cloudspace"), what="tenants are indexed")
    return made


def ids(house: House, person: Principal, kind: str) -> set[str]:
    """Return what a person finds of a kind by the word that stands in all names of tenants."""
    found = house.runtime.search.find(person, SECRET, [kind], 50)
    return {hit["id"] for group in found["groups"] for hit in group["hits"]}


def readable(house: House, person: Principal, kind: str, identity: int) -> bool:
    """Say by the policy whether a person may read an object; operators may read all that lives."""
    try:
        allowed = house.runtime.policy.explain(person, f"{kind}:R", {ARGUMENTS[kind]: identity})[0]
    except NotFoundError:
        return False
    return allowed or person.has_group("level1", "level2", "level3")


@pytest.mark.parametrize("kind", ["account", "cloudspace", "machine"])
def test_everybody_finds_just_what_he_may_read(house: House, tenants: dict[str, dict[str, int]], kind: str) -> None:
    """For each right on each level, each group and each state: found is what the policy lets one read, nothing else."""
    for person in people():
        expected = {
            str(made[WIRES[kind]]) for made in tenants.values() if readable(house, person, kind, made[WIRES[kind]])
        }
        assert ids(house, person, kind) == (set() if person.guest else expected), person.name


@pytest.mark.parametrize(("kind", "wire"), [("image", "imageId"), ("external network", "externalnetworkId")])
def test_what_belongs_to_accounts(house: House, tenants: dict[str, dict[str, int]], kind: str, wire: str) -> None:
    """Images and external networks are found by those who may read their account."""
    for person in people():
        expected = {
            str(made[wire]) for made in tenants.values() if readable(house, person, "account", made["accountId"])
        }
        assert ids(house, person, kind) == (set() if person.guest else expected), person.name


def test_nothing_tells_of_what_is_hidden(house: House, tenants: dict[str, dict[str, int]]) -> None:
    """A stranger's answer to another's name, id, address or words is the same as to what does not exist."""
    token = house.user("stranger", "user")
    machine = tenants["open"]["machineId"]
    Machine.collection().update_one({"_id": machine}, {"$set": {"description": "the xylophone"}})
    wait_for(lambda: house.find("xylophone"), what="the administrator finds it")
    for text in (
        SECRET,
        f"machine {machine}",
        f"machine #{machine}",
        "xylophone",
        "xylopohne",
        f"reference {SECRET}",
        "machine:",
    ):
        hits = [hit["id"] for group in house.groups(text, token) for hit in group["hits"]]
        assert [hit for hit in hits if not hit.startswith("docs/")] == [], text  # the manual is everybody's
    assert house.find("xylophone", "") == []


def machines(account: int, *names: str) -> None:
    """Put machines of an account into the database."""
    first = Machine.next_id() + 10_000
    rows = [
        {"_id": first + number, "name": name, "account_id": account, "cloudspace_id": 0, "acl": [], "live": True}
        for number, name in enumerate(names)
    ]
    Machine.collection().insert_many([{**row, "status": "RUNNING", "reference_id": f"r{row['_id']}"} for row in rows])
    Machine.collection().database["counter"].update_one({"_id": "machine"}, {"$inc": {"last": 20_000}})


def account_of(user: str) -> int:
    """Make an account that a user may read."""
    acl: list[dict[str, Any]] = [{"user_group_id": user, "type": "U", "right": "R"}]
    return int(Account.create(name=f"account of {user}", status="CONFIRMED", acl=acl).id)


def test_a_tenant_with_very_many_machines(house: House) -> None:
    """Who may read hundreds of machines finds his own among as many of others, and nothing of theirs."""
    token = house.user("magnate", "user")
    machines(account_of("magnate"), *(f"gazelle-{number}" for number in range(0, 1400, 2)), "antelope")
    machines(account_of("rival"), *(f"gazelle-{number}" for number in range(1, 601, 2)), "gazelle", "antelopes")
    wait_for(lambda: house.find("machine: antelopes"), what="all are indexed")
    titles = [title for _, title in house.find("machine: gazelle", token, limit=50)]
    assert len(titles) == 50
    assert all(int(title.partition("-")[2]) % 2 == 0 for title in titles)
    assert house.find("gazelle-599", token) == []
    assert house.find("gazelle-1398", token) == [("machine", "gazelle-1398")]
    assert not house.groups("machine: antelope", token)[0]["more"]
    assert house.find("antelpes", token) == [("machine", "antelope")]


def test_hidden_names_do_not_come_before_visible_ones(house: House) -> None:
    """A typing error leads to what one may see, though a hidden name would be nearer, or be just that."""
    token = house.user("typist", "user")
    machines(account_of("typist"), "springbok")
    machines(account_of("nobody"), "sprinbgk", "sprignbok")
    wait_for(lambda: house.find("machine: sprignbok"), what="all are indexed")
    assert house.find("sprinbgk", token) == [("machine", "springbok")]
    assert house.find("sprignbk", token) == [("machine", "springbok")]


def test_rights_count_at_the_time_of_the_question(house: House) -> None:
    """Who is given a right finds the object at once, and no more at once when it is taken away."""
    token = house.user("guestworker", "user")
    account = Account.create(name="Quokka", status="CONFIRMED").id
    wait_for(lambda: house.find("Quokka"), what="it is indexed")
    assert house.find("Quokka", token) == []
    entry = {"user_group_id": "guestworker", "type": "U", "right": "R"}
    Account.collection().update_one({"_id": account}, {"$push": {"acl": entry}})
    assert house.find("Quokka", token) == [("account", "Quokka")]
    Account.collection().update_one({"_id": account}, {"$set": {"acl": []}})
    assert house.find("Quokka", token) == []


def test_a_hit_leads_only_where_the_viewer_may_go(house: House) -> None:
    """A tenant finds its machine without a link to the operators' page of it."""
    token = house.user("tina", "user")
    acl: list[dict[str, Any]] = [{"user_group_id": "tina", "type": "U", "right": "R"}]
    Cloudspace.create(
        name="Tinaspace", account_id=99, acl=acl, gid=1, location="x", private_network="10.0.0.0/24",
        external_network_id=1, status="DEPLOYED",
    )  # fmt: skip
    house.until("Tinaspace", [("cloudspace", "Tinaspace")], token)
    hit = lambda: house.groups("Tinaspace", token)[0]["hits"][0]  # noqa: E731 - short
    assert hit()["href"] is None
    house.write("handbook/For operators.md", "---\nshows: cloudspace\nrights: {login: ''}\n---\n")
    house.write("handbook/My Space.md", "---\nshows: [cloudspace, x]\nparams: {spaceId: int}\n---\n")
    wait_for(lambda: hit()["href"], what="the page for tenants is known")
    assert hit()["href"].startswith("/handbook/My%20Space?spaceId=")
    assert house.groups("Tinaspace")[0]["hits"][0]["href"].startswith("/cbgrid/Cloud%20Space?id=")


def test_operators_and_administrators(house: House) -> None:
    """Nodes and jobs are found by operators, users and groups by administrators, neither by others."""
    Node.create(name="vie-n07", status="ENABLED")
    job = Job.create(node_id=1, script="x/y", sha256="x", status="OK").id
    wait_for(lambda: house.find("vie-n07"), what="the node is indexed")
    people = {name: house.user(f"has-{name}", name) for name in ("user", "level1", "level3")}
    for name, token in people.items():
        operator = name != "user"
        assert bool(house.find("vie-n07", token)) == operator, name
        assert bool(house.find(f"job {job}", token)) == operator, name
        assert house.find("@admin", token) == [], name
    assert ("user", "admin") in house.find("@admin")


def test_a_limited_token_finds_no_more_than_it_may_read(house: House) -> None:
    """A token for cloudapi finds no users; an operator's token for cloudapi finds only what lists give him."""
    narrow = house.user("admin", apps=frozenset({"cloudapi"}))
    assert house.find("@admin", narrow) == []
    Account.create(name="Wombat", status="CONFIRMED")
    wait_for(lambda: house.find("Wombat"), what="it is indexed")
    assert house.find("Wombat", narrow) == [("account", "Wombat")]  # administrators may do everything in cloudapi too
    house.user("olga", "level1")
    assert house.find("Wombat", house.user("olga", apps=frozenset({"cloudbroker"}))) == [("account", "Wombat")]
    assert house.find("Wombat", house.user("olga", apps=frozenset({"cloudapi"}))) == []
    assert house.find("Wombat", house.user("olga", apps=frozenset({"system"}))) == []


def test_pages_obey_space_and_page(house: House) -> None:
    """A page is found by those who may read it: rights of the space, replaced name by name by those of the page."""
    token, guest = house.user("reader", "user"), ""
    house.write("handbook/Open.md", "---\nrights: {guest: R}\n---\nplatypus\n")
    house.write("handbook/Usual.md", "platypus\n")
    house.write("handbook/Closed.md", '---\nrights: {login: ""}\n---\nplatypus\n')
    house.write("handbook/Mine.md", '---\nrights: {login: "", "user:reader": R}\n---\nplatypus\n')
    titles = ["Closed", "Mine", "Open", "Usual"]
    wait_for(lambda: sorted(title for _, title in house.find("platypus")) == titles, what="all are indexed")
    assert sorted(title for _, title in house.find("platypus", token)) == ["Mine", "Open", "Usual"]
    assert house.find("platypus", guest) == [("page", "Open")]
    assert ("page", "Closed") not in house.find("Closed", token)
    assert house.find("handbook closed platypus", token) == []


def test_a_page_that_was_closed_just_now_is_not_shown(house: House) -> None:
    """Rights that a page or its space has since a moment count, though the index has not seen it yet."""
    token = house.user("witness", "user")
    house.write("handbook/Fresh.md", "echidna\n")
    house.until("echidna", [("page", "Fresh")], token)
    house.write("handbook/Fresh.md", '---\nrights: {login: ""}\n---\nechidna\n')
    assert house.find("echidna", token) == []
    house.write("handbook/Fresh.md", "echidna echidna\n")
    house.until("echidna", [("page", "Fresh")], token)
    house.write("handbook/space.yaml", "title: Handbook\nrights: {level1: R}\n")
    assert house.find("echidna", token) == []
    house.write("handbook/space.yaml", "title: Handbook\nrights: {login: R}\n")
    assert house.find("echidna", token) == [("page", "Fresh")]
    (house.spaces / "handbook/Fresh.md").unlink()
    assert house.find("echidna") == []


def test_actions_are_those_that_the_viewer_may_do(house: House) -> None:
    """Operators may create machines from anywhere, administrators users too, others and guests nothing."""
    search = house.runtime.search

    def labels(*groups: str, **limits: Any) -> list[str]:
        return [deed["label"] for deed in search.deeds(Principal("x", frozenset(groups), **limits))]

    assert "Create machine" in labels("level1")
    assert "Create user" not in labels("level1")
    assert "Create user" in labels("admin")
    assert labels("user") == []
    assert labels("admin", readonly=True) == []
    assert labels("guest", guest=True) == []
