"""Tell what the node is and has."""

from __future__ import annotations

from typing import Any

descr = "Tell what the node is and has."
organization = "portalfw"
author = "portalfw"
name = "hostfacts"
category = "node"
roles = ()
queue = "default"
order = 0
timeout = 30
enable = True
startatboot = False
log = True
idempotent = True


def action() -> dict[str, Any]:
    """Return the facts of `sal.host.HostFacts`."""
    from dataclasses import asdict

    from sal.host import facts

    return asdict(facts())
