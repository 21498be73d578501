"""Ping the nodes that are told, side by side, and tell how long answers take and how many are lost."""

from __future__ import annotations

from typing import Any

descr = "Ping the nodes that are told, side by side, and tell how long answers take and how many are lost."
organization = "portalfw"
author = "portalfw"
name = "measurelatency"
category = "network"
roles = ()
queue = "default"
order = 0
timeout = 60
enable = True
startatboot = False
log = True
idempotent = True


def action(peers: list[dict[str, Any]], count: int = 5) -> list[dict[str, Any]]:
    """Return a row for each of ``peers`` (``node``, ``name``, ``address``), which the controller chooses.

    Params: ``count`` pings of each, 20 at most. Each row has ``sent``, ``answered``, ``delay`` (ms), state, message.
    """
    from sal.findings.pings import judge_pings, ping_all

    found = ping_all([(one["name"], one["address"]) for one in peers], count=max(1, min(20, count)))
    judged = judge_pings(found) if found else []
    return [
        {
            **peer,
            "sent": one.sent,
            "answered": one.answered,
            "delay": one.delay,
            "state": said.state,
            "message": said.message,
        }
        for peer, one, said in zip(peers, found, judged, strict=True)
    ]
