"""A gateway on this node: read it, make it, remove it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.command import run
from sal.errors import CommandError
from sal.network import firewall, rules
from sal.network.bridges import remove_bridge_if_unused
from sal.network.dnsmasq import Dnsmasq
from sal.network.links import inside, read_links
from sal.network.namespaces import namespace_pids
from sal.network.plan import GatewayFacts, missing
from sal.network.spec import GatewaySpec
from sal.system.processes import end

_NAMESPACES: Final = Path("/run/netns")
_FORWARDING: Final = "/proc/sys/net/ipv4/ip_forward"


@dataclass(frozen=True)
class GatewayResult:
    """What an operation on a gateway did: whether anything ``changed``, and whether it is only ``simulated``."""

    name: str
    changed: bool
    simulated: bool = False


class Gateway:
    """The gateway between a cloudspace and an external network."""

    def __init__(self, spec: GatewaySpec, run_folder: Path) -> None:
        """Keep the gateway's files in a folder of its own within ``run_folder``."""
        self.spec = spec
        self.dnsmasq = Dnsmasq(spec.name, run_folder / spec.name)

    def facts(self) -> GatewayFacts:
        """Read what is there of it."""
        spec, name = self.spec, self.spec.name
        node = {
            "links": read_links(),
            "host_forwarding": Path(_FORWARDING).read_text(encoding="ascii").strip() == "1",
            "host_revision": firewall.loaded(spec.external.bridge),
        }
        if not (_NAMESPACES / name).exists():
            return GatewayFacts(**node)  # type: ignore[arg-type]
        try:
            own_links = read_links(name)
        except CommandError:
            return GatewayFacts(**node, stale=True)  # type: ignore[arg-type]
        return GatewayFacts(
            **node,  # type: ignore[arg-type]
            namespace=True,
            own_links=own_links,
            router=_router(name),
            forwarding=inside(name, "cat", _FORWARDING).run().strip() == "1",
            revision=firewall.loaded(rules.TABLE, name),
        )

    def apply(self) -> GatewayResult:
        """Make the gateway as its spec says; what is so already stays untouched."""
        plan = missing(self.spec, self.facts())
        for command in plan:
            command.run()
        served = self.dnsmasq.ensure(self.spec)
        return GatewayResult(self.spec.name, bool(plan) or served)

    def remove(self) -> GatewayResult:
        """Remove the gateway with all that belongs to it, and the bridges that nothing else uses."""
        changed = self._remove_namespace()
        changed |= remove_bridge_if_unused(self.spec.bridge)
        if remove_bridge_if_unused(self.spec.external.bridge):
            changed = True
            if self.spec.external.host_gateway:
                firewall.unload(self.spec.external.bridge).run()
        return GatewayResult(self.spec.name, changed)

    def _remove_namespace(self) -> bool:
        name, found = self.spec.name, (_NAMESPACES / self.spec.name).exists()
        if found:
            end(namespace_pids(name))
        # The node's ends first: with the namespace they would only go a moment later.
        links = read_links()
        cables = [link for link in (self.spec.inside_link, self.spec.outside_link) if link in links]
        for link in cables:
            run(["ip", "link", "del", "dev", link])
        if found:
            run(["ip", "netns", "delete", name])
        orphaned = self.dnsmasq.stop()  # it runs on where somebody has deleted its namespace
        self.dnsmasq.forget()
        return found or bool(cables) or orphaned


def _router(namespace: str) -> str | None:
    routes = json.loads(run(["ip", "-netns", namespace, "-json", "route", "show", "default"]) or "[]")
    return next((route.get("gateway") for route in routes), None)
