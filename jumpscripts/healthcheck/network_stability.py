"""Ping other nodes: under 90 % answered or over 10 ms WARNING, under 70 % or over 200 ms ERROR; try MTU."""

from __future__ import annotations

from typing import Any

descr = "Ping other nodes: under 90 % answered or over 10 ms WARNING, under 70 % or over 200 ms ERROR; try MTU."
organization = "portalfw"
author = "portalfw"
name = "network_stability"
category = "monitor.healthcheck"
roles = ()
queue = "process"
period = 300
order = 0
timeout = 60
enable = False
startatboot = False
log = False
idempotent = True


def action(peers: list[dict[str, str]] | None = None, mtu: int = 1500, count: int = 10) -> list[dict[str, Any]]:
    """Return a finding for each of ``peers`` (``name``, ``address``), which the controller chooses.

    Params: ``mtu`` bytes that a packet may have that is not to be taken apart; ``count`` pings of each.
    """
    from sal.errors import NetworkError
    from sal.findings import skipped, told
    from sal.findings.pings import judge_pings, ping_all

    try:
        return told(judge_pings(ping_all([(one["name"], one["address"]) for one in peers or []], mtu, count)))
    except NetworkError as error:
        return told(skipped("Network", "peers", str(error)))
