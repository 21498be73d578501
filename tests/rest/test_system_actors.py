"""The system actors that existing clients know: what they answer, and to whom."""

from __future__ import annotations

import time
from pathlib import Path

import requests
from product import Product, wait_for

EXECUTE = "system/agentcontroller/executeJumpscript"
AUDITS = "system/audits/listAudits"


def page(product: Product, path: str) -> str:
    """Return a page as the administrator sees it, which must have no macro that failed."""
    response = requests.get(product.url + path, headers={"Authorization": f"Bearer {product.token}"}, timeout=20)
    assert response.status_code == 200, response.text
    assert 'Error <span class="mono">' not in response.text
    return response.text


def test_everybody_hears_of_what_is_theirs(product: Product) -> None:
    """Spaces and actors are named to those who may read or call them, and to nobody else."""
    user = product.user_token("reader", "user")
    seen = {name: product.call("system/contentmanager/getActors", name).json() for name in ("", user, product.token)}
    assert "system__audits" in seen[product.token]
    assert "system__audits" not in seen[user]
    assert {"cloudapi__machines", "system__task"} <= set(seen[user])
    assert "cloudapi__machines" not in seen[""]
    assert "cloudapi__locations" in seen[""]
    spaces = "system/contentmanager/getSpaces"
    assert {"cbgrid", "grid", "system"} <= set(product.ask(spaces))
    assert "grid" not in product.call(spaces, user).json()
    assert "grid" not in product.call(spaces, "").json()


def test_one_actor_can_be_described(product: Product) -> None:
    """The document of one actor has all its methods and no other's."""
    paths = product.ask("system/docgenerator/getDocForActor", actorname="system__task")["paths"]
    assert "/system/task/get" in paths
    assert {path.split("/")[2] for path in paths} == {"task"}
    assert product.call("system/docgenerator/getDocForActor", actorname="system__nobody").status_code == 404


def test_users_are_found_by_id_and_know_their_groups(product: Product) -> None:
    """An administrator finds a user by its id; everybody may ask for the groups of its own."""
    user = product.user_token("member", "user", "level1")
    row = product.ask("system/usermanager/userget", name="member")
    assert product.ask("system/usermanager/getuserwithid", id=row["id"]) == row
    assert product.call("system/usermanager/getuserwithid", id=999_999).status_code == 404
    groups = "system/usermanager/usergroupsget"
    assert product.call(groups, user).json() == ["level1", "user"]
    assert product.ask(groups, user="member") == ["level1", "user"]
    assert product.call(groups, user, user="admin").status_code == 403


def test_a_jumpscript_can_be_run_by_hand(product: Product) -> None:
    """An engineer runs a script on a node or a role and gets its result, or its job's id; others may not."""
    done = product.ask(EXECUTE, name="node/hostfacts", nid=1)
    assert (done["state"], done["node_id"]) == ("OK", 1)
    assert done["result"]["hostname"]
    by_role = product.ask(EXECUTE, name="hostfacts", organization="portalfw", role="cpunode", wait=False)
    assert product.ask("system/gridmanager/getJob", jobId=by_role["id"])["script"] == "node/hostfacts"
    operator = product.user_token("starter", "level1")
    assert product.call(EXECUTE, operator, name="node/hostfacts", nid=1).status_code == 403
    wrong = {"name": "node/hostfacts", "nid": 1, "args": {"nonsense": 1}}
    assert product.call(EXECUTE, **wrong).status_code == 400
    assert product.call(EXECUTE, name="node/hostfacts").json()["detail"] == {"argument": "nid"}
    assert product.call(EXECUTE, name="nothing", nid=1).status_code == 404
    assert product.call(EXECUTE, name="node/hostfacts", role="nobody").status_code == 503
    assert "JumpScript?name=node" in page(product, f"/grid/Job?id={done['id']}")


def test_agents_and_their_scripts_are_listed(product: Product) -> None:
    """The connected agent is an active session; every script is listed, with its text and arguments on its page."""
    (session,) = product.ask("system/agentcontroller/listActiveSessions")
    assert (session["id"], session["active"]) == (1, True)
    assert session in product.ask("system/agentcontroller/listSessions") or session["session"]
    loaded = product.ask("system/agentcontroller/loadJumpscripts")
    assert loaded["broken"] == []
    names = [row["name"] for row in product.ask("system/agentcontroller/listJumpscripts")]
    assert len(names) == loaded["scripts"]
    files = {path.relative_to("jumpscripts").with_suffix("").as_posix() for path in Path("jumpscripts").rglob("*.py")}
    assert files <= set(names)
    assert "libvirt/startmachine" in page(product, "/grid/JumpScripts")
    assert "def action" in page(product, "/grid/JumpScript?name=libvirt/startmachine")


def test_disks_and_grids_are_those_of_the_nodes(product: Product) -> None:
    """File systems are what the agents told, grids the places of the nodes."""
    disks = product.ask("system/gridmanager/getDisks", nodeId=1)
    assert disks
    assert all(row["node_id"] == 1 and 0 <= row["used"] <= 100 and row["size"] > 0 for row in disks)
    assert product.ask("system/gridmanager/getDisks", nodeId=999) == []
    (grid,) = product.ask("system/gridmanager/getGrids")
    assert (grid["id"], grid["nodes"], grid["connected"]) == (1, 1, 1)
    assert isinstance(product.ask("system/gridmanager/getVDisks", filter={"type": "=B"}), list)
    assert disks[0]["mount"] in page(product, "/grid/Disks")
    page(product, "/grid/Nodes")
    page(product, "/grid/Node?id=1")


def test_the_audit_log_is_searched_as_older_clients_do(product: Product) -> None:
    """By user, call, status, time, length and page; and one call by the id that its answer carried."""
    began = time.time()
    answer = product.call("lab/kettle/boil")
    identity = answer.headers["X-Request-Id"]
    rows = product.ask(AUDITS, restcall="kettle/boil", statuscode="409", epoch="-1h", username="admin")
    assert rows[0]["id"] == identity
    assert all(row["status"] == 409 and row["time"] > began - 3600 for row in rows)
    assert product.ask(AUDITS, restcall="kettle/boil", epoch=f"..{began - 86400}") == []
    assert product.ask(AUDITS, restcall="kettle/boil", responsetime=">60") == []
    assert product.call(AUDITS, statuscode="many").status_code == 400
    first, second = (product.ask(AUDITS, changes=True, page=number, size=1) for number in (1, 2))
    assert len(first) == len(second) == 1
    assert first != second
    found = product.ask("system/audits/getAudit", id=identity)
    assert (found["call"], found["status"]) == ("lab/kettle/boil", 409)
    assert product.call("system/audits/getAudit", id="nothing").status_code == 404
    assert "Kettle 1 is HOT" in page(product, f"/system/Audit?id={identity}")
    wait_for(lambda: identity in page(product, "/system/Audits?restcall=kettle/boil"), 5)
