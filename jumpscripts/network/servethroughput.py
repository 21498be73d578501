"""Serve one test of throughput at an address of this node, for who has its key."""

from __future__ import annotations

from typing import Any

descr = "Serve one test of throughput at an address of this node, for who has its key."
organization = "portalfw"
author = "portalfw"
name = "servethroughput"
category = "network"
roles = ()
queue = "default"
order = 0
timeout = 60
enable = True
startatboot = False
log = True
idempotent = True


def action(address: str, key: str, seconds: float = 3.0) -> dict[str, Any]:
    """Return the ``bytes`` that were carried. The port is told in a line of output, as soon as it is served.

    Params: ``seconds`` that each direction takes, 10 at most.
    """
    from agent.jumpscript import log
    from sal.network.throughput import serve

    return {"bytes": serve(address, key, seconds, lambda port: log.info(f"port {port}"))}
