"""Checks on nodes: what their jobs find is kept, missed, muted, told again, and counts in the state of the whole."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from product import Product, run, wait_for
from pymongo.database import Database

from portalfw.controller.documents import Node
from portalfw.health.changes import HealthChange
from portalfw.health.node_results import NodeHealth, expect, messages, note_missed, take_in

CHECK = "healthcheck/threads_and_swap"
FINDING = f"{CHECK}@1:threads"
DETAIL, OVERALL = "system/health/getDetailedStatus", "system/health/getOverallStatus"


def job(number: int, *states: str, ended: float | None = None, **fields: Any) -> dict[str, Any]:
    """Return a job of a check that found one thing in each state."""
    found = [{"uid": str(place), "category": "Lab", "state": one, "message": one} for place, one in enumerate(states)]
    row = {"_id": number, "script": CHECK, "node_id": 1, "status": "OK", "ended": ended or time.time(), "result": found}
    return {**row, **fields}


def states(**query: Any) -> list[str]:
    return [one.state for one in messages(NodeHealth.rows(query), {CHECK})]


@pytest.mark.usefixtures("database")
def test_each_job_counts_once_and_changes_are_kept() -> None:
    """What a later job found stays; each change is one entry of the history; the first error is not lost.

    The originals kept only changes of what they had seen before, and none of a check with one message without uid.
    """
    assert take_in(job(5, "OK", "ERROR"), 60)
    assert not take_in(job(5, "OK", "OK"), 60)
    assert not take_in(job(4, "OK", "OK"), 60)
    assert states() == ["OK", "ERROR"]
    assert take_in(job(6, "WARNING", "ERROR"), 60)
    assert [(row["before"], row["state"]) for row in HealthChange.rows()] == [("", "ERROR"), ("OK", "WARNING")]
    assert take_in(job(7, status="TIMEOUT", reason="too slow"), 60)
    (failed,) = messages(NodeHealth.rows(), {CHECK})
    assert (failed.uid, failed.state) == ("execution_failed", "ERROR")
    assert "job 7" in failed.message
    assert take_in(job(8, result=[{"state": "OK", "message": "no uid", "category": "Lab"}]), 60)
    assert messages(NodeHealth.rows(), {CHECK})[0].uid == "malformed"
    assert not take_in(job(9, status="CANCELLED"), 60)


def test_who_does_not_report_is_missed(database: Database[dict[str, Any]]) -> None:
    """What is overdue is MISSED, once in the history; not on a node in maintenance, nor if the schedule is off."""
    Node.collection().insert_one({"_id": 1, "name": "one", "status": "ENABLED", "connected": True})
    expect(CHECK, [1], 60)
    expect(CHECK, [1], 60)
    assert states() == ["SKIPPED"]
    NodeHealth.collection().update_many({}, {"$set": {"due": time.time() - 1}})
    assert states() == ["MISSED"]
    assert [one.state for one in messages(NodeHealth.rows(), set())] == ["SKIPPED"]
    note_missed({CHECK})
    note_missed({CHECK})
    assert [(row["before"], row["state"]) for row in HealthChange.rows()] == [("SKIPPED", "MISSED")]
    Node.collection().update_one({"_id": 1}, {"$set": {"status": "MAINTENANCE"}})
    assert "in maintenance" in messages(NodeHealth.rows(), {CHECK})[0].message
    assert take_in(job(3, "OK", ended=time.time() - 500), 60)
    Node.collection().update_one({"_id": 1}, {"$set": {"status": "ENABLED"}})
    assert states() == ["MISSED"]
    assert database["health_node"].count_documents({}) == 1


@pytest.fixture
def checked(product: Product) -> Iterator[Product]:
    """Give the product with one check of its node run, by hand."""
    product.ask("system/health/refreshCommand", cmd=CHECK, nodeId=1)
    yield product
    product.call("system/health/unmute", finding=FINDING)


def test_a_check_of_a_node_is_run_by_hand_and_muted(checked: Product) -> None:
    """Operators run a check on a node from portal and command line; what is muted says why and does not count."""
    found = {row["id"]: row for row in checked.ask(DETAIL, nodeId=1)}
    assert found[FINDING]["state"] == "OK"
    assert found[FINDING]["interval"] == 900
    before = checked.ask(OVERALL)
    checked.ask("system/health/mute", finding=FINDING, reason="issue 17", hours=1)
    muted = {row["id"]: row for row in checked.ask(DETAIL, nodeId=1)}[FINDING]
    assert (muted["muted"], muted["muted_reason"]) == (True, "issue 17 (admin)")
    after = checked.ask(OVERALL)
    assert after["muted"] == before["muted"] + 1
    assert checked.call("system/health/mute", finding="nothing", reason="x").status_code == 404
    assert checked.call("system/health/mute", finding=FINDING, reason=" ").status_code == 400
    assert checked.call("system/health/mute", finding=FINDING, reason="x", hours=1e6).status_code == 400
    checked.ask("system/health/unmute", finding=FINDING)
    assert checked.call("system/health/unmute", finding=FINDING).status_code == 404
    environment = {"PORTALFW_URL": checked.url, "PORTALFW_TOKEN": checked.token}
    done = run("health", "run", CHECK, "--node", "1", "--json", **environment)
    assert done.returncode == 0, done.stderr
    assert {row["id"] for row in json.loads(done.stdout)} == {FINDING, f"{CHECK}@1:swap"}
    assert CHECK in run("health", "checks", **environment).stdout
    assert checked.call("system/health/refreshCommand", cmd=CHECK).status_code == 404
    (clock,) = checked.ask("system/health/refreshCommand", cmd="healthcheck/clock", nodeId=1)
    assert (clock["state"], clock["category"]) == ("OK", "Clock"), clock
    assert "the controller's, give or take" in clock["message"]
    tried = checked.ask("system/health/refreshCommand", cmd="healthcheck/deployment_test", nodeId=1)
    assert {row["uid"]: row["state"] for row in tried} == {"machine": "OK", "disk": "SKIPPED"}, tried


def test_who_nobody_knows_is_found(checked: Product) -> None:
    """A machine made on a node behind the portal's back is told with its disk, until it is removed."""
    site = checked.ask("system/gridmanager/getNode", nodeId=1)["site"]
    volume = {"volume": f"{site}-d990099", "size": 1}
    machine = {"name": f"{site}-m990099", "uuid": str(uuid.uuid4()), "memory": 64, "vcpus": 1, "disks": [volume]}
    asked = {"cmd": "healthcheck/orphans", "nodeId": 1}

    def on_node(script: str) -> None:
        args = {"machine": machine}
        done = checked.ask("system/agentcontroller/executeJumpscript", name=script, nid=1, args=args)
        assert done["state"] == "OK", done

    on_node("libvirt/createmachine")
    try:
        found = {row["uid"]: row for row in checked.ask("system/health/refreshCommand", **asked)}
    finally:
        on_node("libvirt/deletemachine")
    for uid in (f"machine-{site}-m990099", f"volume-{site}-d990099"):
        assert (found[uid]["state"], found[uid]["category"]) == ("WARNING", "Orphanage")
        assert "of that number" in found[uid]["message"]
    after = checked.ask("system/health/refreshCommand", **asked)
    assert not [row for row in after if "990099" in row["uid"]], after


def test_a_change_names_its_node(product: Product) -> None:
    """The history of findings tells of each change on which node it was, whoever made the job that found it."""
    asked = {"name": "healthcheck/network_stability", "nid": 1}
    finding = "healthcheck/network_stability@1:peer-nowhere"
    nowhere = {"peers": [{"name": "nowhere", "address": "240.0.0.1"}], "count": 1}
    try:
        product.ask("system/agentcontroller/executeJumpscript", **asked, args=nowhere)
        (last,) = wait_for(lambda: product.ask("system/health/listChanges", nodeId=1, finding=finding, limit=1))
    finally:
        product.ask("system/agentcontroller/executeJumpscript", **asked, args={"peers": []})
    assert (last["before"], last["state"]) == ("", "ERROR")
    assert last["node"] == product.ask("system/gridmanager/getNode", nodeId=1)["name"]


def test_a_schedule_runs_a_check(checked: Product) -> None:
    """What a schedule's job finds is kept by whoever hears of its end, and the node is shown with it."""
    made = checked.ask("system/schedules/create", name="often", script=CHECK, when="1")
    try:
        began = time.time()
        wait_for(lambda: {row["id"]: row for row in checked.ask(DETAIL, nodeId=1)}[FINDING]["checked"] > began)
        (node,) = [row for row in checked.ask("system/health/getNodeStates") if row["id"] == 1]
        assert node["state"] in {"RUNNING", "DEGRADED"}
        assert node["checked"] > began
    finally:
        checked.ask("system/schedules/delete", scheduleId=made if isinstance(made, int) else made["id"])
