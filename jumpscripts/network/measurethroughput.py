"""Measure how much this node and another one, which serves, carry between them."""

from __future__ import annotations

from typing import Any

descr = "Measure how much this node and another one, which serves, carry between them."
organization = "portalfw"
author = "portalfw"
name = "measurethroughput"
category = "network"
roles = ()
queue = "default"
order = 0
timeout = 60
enable = True
startatboot = False
log = True
idempotent = True


def action(peer: dict[str, Any], key: str, seconds: float = 3.0) -> dict[str, Any]:
    """Return Mbit/s ``there`` and ``back``, ``bytes``, ``speed`` of the slower card, ``state`` and ``message``.

    Params: ``peer`` (``node``, ``name``, ``address``, ``port``) serves; ``seconds`` each direction takes, 10 at most.
    """
    from sal.findings.throughput import judge_throughput
    from sal.network.throughput import measure

    found = measure(peer["address"], peer["port"], key, seconds)
    said = judge_throughput(peer["name"], found)
    return {
        "there": found.there.megabits,
        "back": found.back.megabits,
        "bytes": found.there.bytes + found.back.bytes,
        "speed": found.speed,
        "state": said.state,
        "message": said.message,
    }
