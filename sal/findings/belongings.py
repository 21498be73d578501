"""What a site has on a node, by name: only the platform knows what of it ought to be there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sal.findings.finding import Finding
from sal.findings.gateways import gateway_names
from sal.hypervisor import Hypervisor, Site
from sal.hypervisor.calls import named
from sal.network.bridges import read_bridges

CATEGORY: Final = "Orphanage"


def belongings(site: Site, folder: Path) -> dict[str, list[str]]:
    """Return the names of a site's machines, volumes, gateways and bridges on this node; files are in ``folder``.

    Raises `sal.errors.SalError`.
    """
    prefix = site.storage.site
    if site.simulated:
        gateways, bridges = _simulated(site.hypervisor, prefix), set[str]()
    else:
        gateways = gateway_names(prefix, folder)
        bridges = {name for name in read_bridges() if name.startswith(f"{prefix}-")}
    return {
        "machines": [state.name for state in site.machines.states()],
        "volumes": [volume.name for volume in site.storage.volumes()],
        "gateways": sorted(gateways),
        "bridges": sorted(bridges),
    }


def tell_belongings(found: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return a finding that carries the names, for the platform to judge."""
    text = ", ".join(f"{kind}: {len(names)}" for kind, names in found.items())
    return [{**vars(Finding(CATEGORY, "here", "OK", f"On this node are {text}")), "here": found}]


def _simulated(hypervisor: Hypervisor, prefix: str) -> set[str]:
    with named("listing networks"):
        names = [network.name() for network in hypervisor.connection.listAllNetworks()]
    return {name for name in names if name.startswith(f"{prefix}-g")}
