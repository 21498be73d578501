"""What should not be on a node any more is told from what is there by right, by documents in a real MongoDB."""

from __future__ import annotations

import time
from typing import Any

from actors.cloud.models import Cloudspace, Disk, ExternalNetwork, Image, Machine, Stack
from actors.cloud.orphans import GRACE, judge_belongings
from portalfw.controller.documents import site_prefix

HERE, ELSEWHERE, NODE = 1, 2, 7


def told(site: str, **names: str) -> list[dict[str, Any]]:
    """Return what a node tells that has these things."""
    kinds = ("machines", "volumes", "gateways", "bridges")
    here = {kind: [f"{site}-{name}" for name in names.get(kind, "").split()] for kind in kinds}
    return [{"category": "Orphanage", "uid": "here", "state": "OK", "message": "told", "here": here}]


def test_who_is_an_orphan(database: Any) -> None:
    """Unknown, long gone, or at home on another node; not what just changed, is at work, or is the test machine's."""
    del database
    site, now = site_prefix(), time.time()
    old = {"live": True, "update_time": now - 2 * GRACE, "name": "x", "operation": None, "deletion_time": 0.0}
    gone = {**old, "live": False, "deletion_time": now - 2 * GRACE}
    Stack.collection().insert_many([{"_id": HERE, "reference_id": NODE}, {"_id": ELSEWHERE, "reference_id": 8}])
    machines = [
        {**old, "_id": 1, "reference_id": "1", "stack_id": HERE},
        {**gone, "_id": 2, "reference_id": "2", "stack_id": HERE},
        {**gone, "_id": 3, "reference_id": "3", "stack_id": HERE, "deletion_time": now},
        {**old, "_id": 4, "reference_id": "4", "stack_id": ELSEWHERE},
        {**gone, "_id": 5, "reference_id": "5", "stack_id": HERE, "operation": {"name": "destroy"}},
    ]
    Machine.collection().insert_many([{**row, "cloudspace_id": row["_id"]} for row in machines])
    Disk.collection().insert_many([{**old, "_id": 1}, {**gone, "_id": 2}])
    Image.collection().insert_many([{**old, "_id": 1}])
    Cloudspace.collection().insert_many(
        [{**old, "_id": 1, "stack_id": HERE, "account_id": 1}, {**gone, "_id": 2, "stack_id": HERE, "account_id": 2}]
    )
    ExternalNetwork.collection().insert_many([{"_id": 1, "name": "x"}])
    found = judge_belongings(
        NODE,
        told(
            site,
            machines="m1 m2 m3 m4 m5 m6 trial stray",
            volumes="d1 d2 i1 i2 m1-seed m2-seed trial-boot",
            gateways="g1 g2",
            bridges="b1 b2 x1 x2",
        ),
    )
    assert {one["state"] for one in found} == {"WARNING"}
    assert {one["uid"].replace(f"{site}-", "") for one in found} == {
        *("machine-m2", "machine-m4", "machine-m6", "machine-stray", "volume-d2", "volume-i2", "volume-m2-seed"),
        *("gateway-g2", "bridge-b2", "bridge-x2"),
    }
    said = {one["uid"].replace(f"{site}-", ""): one["message"] for one in found}
    assert "nobody knows it" in said["machine-stray"]
    assert "is gone" in said["gateway-g2"]
    assert "another node" in said["machine-m4"]
    fine = judge_belongings(NODE, told(site, machines="m1", volumes="d1 i1", gateways="g1"))
    assert [(one["uid"], one["state"]) for one in fine] == [("none", "OK")]
    failed = [{"category": "Hypervisor", "uid": "reached", "state": "ERROR", "message": "no answer"}]
    assert judge_belongings(NODE, failed) == failed
