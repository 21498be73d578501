"""Health of the cloud: addresses that are used up, cloudspaces that do not get ready, machines that should be gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from actors.cloud.models import Cloudspace, ExternalNetwork, Machine
from portalfw.extension import health_check
from portalfw.health.findings import Finding, graded

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

USED: Final = (80.0, 95.0)  # percent of the external addresses of a network, as in the originals
DEPLOYING: Final = 300.0  # seconds after which a cloudspace should be ready, likewise


@health_check("Network", every=1800)
def external_addresses(_runtime: Runtime) -> Iterator[Finding]:
    """Whether external networks have addresses left."""
    rows = ExternalNetwork.rows(fields=["name", "ips", "taken"])
    for row in rows:
        yield judge_addresses(row)
    if not rows:
        yield Finding("none", "SKIPPED", "There is no external network")


def judge_addresses(row: dict[str, Any]) -> Finding:
    """Judge one external network by how many of its addresses are taken."""
    uid, taken = f"network-{row['id']}", len(row.get("taken") or ())
    whole = taken + len(row.get("ips") or ())
    if not whole:
        return Finding(uid, "SKIPPED", f"External network {row['name']} has no addresses")
    share = 100 * taken / whole
    text = f"External network {row['name']}: {taken} of {whole} addresses are used ({share:.0f} %)"
    return Finding(uid, graded(share, warning=USED[0], error=USED[1]), text)


@health_check("Cloud", every=600)
def stuck(_runtime: Runtime) -> Iterator[Finding]:
    """Whether cloudspaces are being deployed for too long."""
    before = time.time() - DEPLOYING
    query = {"status": "DEPLOYING", "update_time": {"$lt": before}}
    rows = Cloudspace.rows(query, fields=["name", "update_time"], limit=100)
    for row in rows:
        minutes = (time.time() - row["update_time"]) / 60
        text = f"Cloudspace {row['name']} is being deployed for {minutes:.0f} minutes"
        yield Finding(f"cloudspace-{row['id']}", "ERROR", text)
    if not rows:
        yield Finding("cloudspaces", "OK", "No cloudspace is deployed for too long")


@health_check("Cloud", every=3600)
def orphans(_runtime: Runtime) -> Iterator[Finding]:
    """Whether nodes still have machines that are gone; the reconciler removes them as soon as it can."""
    before = time.time() - 2 * DEPLOYING
    query = {"live": False, "on_node": True, "update_time": {"$lt": before}}
    rows = Machine.rows(query, fields=["name"], limit=100)
    for row in rows:
        yield Finding(f"machine-{row['id']}", "WARNING", f"Machine {row['name']} is gone, but its node still has it")
    if not rows:
        yield Finding("machines", "OK", "No node has a machine that is gone")
