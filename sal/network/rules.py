"""Filter and translation rules, as nftables text.

Rules are replaced as a whole in one transaction. An empty chain named after the text's digest tells later which rules
are in force, so that the same rules are not loaded again.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from sal.command import Command
from sal.network.links import inside
from sal.network.spec import INSIDE, OUTSIDE, ExternalSpec, GatewaySpec

TABLE: Final = "gateway"
_REVISION: Final = "revision_"


def gateway_rules(spec: GatewaySpec) -> str:
    """Return a gateway's chains: machines may go out, only forwards come in, and forwards work from inside too."""
    network = spec.network
    forwards = [
        f"ip daddr {one.public_ip} {one.protocol} dport {one.public_port} dnat to {one.local_ip}:{one.local_port}"
        for one in sorted(spec.forwards, key=lambda one: (str(one.public_ip), one.protocol, one.public_port))
    ]
    return "\n".join((
        _chain("translate_in", "nat hook prerouting priority dstnat; policy accept", forwards),
        _chain("translate_out", "nat hook postrouting priority srcnat; policy accept", [
            f'oifname "{OUTSIDE}" ip saddr {network} masquerade',
            f'oifname "{INSIDE}" ip saddr {network} ct status dnat masquerade',
        ]),
        _chain("through", "filter hook forward priority filter; policy drop", [
            "ct state invalid drop",
            "ct state established,related accept",
            "ct status dnat accept",
            f'iifname "{INSIDE}" oifname "{OUTSIDE}" ip saddr {network} accept',
        ]),
        _chain("arriving", "filter hook input priority filter; policy drop", [
            "ct state established,related accept",
            'iifname "lo" accept',
            "icmp type echo-request accept",
            f'iifname "{INSIDE}" udp dport {{ 53, 67 }} accept',
            f'iifname "{INSIDE}" tcp dport 53 accept',
        ]),
    ))  # fmt: skip


def host_rules(external: ExternalSpec) -> str:
    """Return the chain by which the node lets an external network, whose router it is, out under its own address."""
    network = external.address.network
    # The incoming link tells routed packets from those that only cross a bridge and pass these rules by br_netfilter.
    rules = [f'iifname "{external.bridge}" oifname != "{external.bridge}" ip saddr {network} masquerade']
    return _chain("translate_out", "nat hook postrouting priority srcnat; policy accept", rules)


def revision(chains: str) -> str:
    """Return the name of the chain that marks these rules as loaded."""
    return _REVISION + hashlib.sha256(chains.encode()).hexdigest()[:16]


def load(table: str, chains: str, namespace: str | None = None) -> Command:
    """Return the command that replaces a table by these chains."""
    emptied = f"table ip {table}\ndelete table ip {table}\n"
    text = f"{emptied}table ip {table} {{\n  chain {revision(chains)} {{\n  }}\n{chains}\n}}\n"
    return inside(namespace, "nft", "-f", "-", text=text)


def unload(table: str) -> Command:
    """Return the command that removes a table of the node, whether it is there or not."""
    return inside(None, "nft", "-f", "-", text=f"table ip {table}\ndelete table ip {table}\n")


def loaded(table: str, namespace: str | None = None) -> str | None:
    """Return the revision of the rules in force, None if there are none."""
    listed: dict[str, Any] = json.loads(inside(namespace, "nft", "-j", "list", "chains").run() or "{}")
    chains = [entry["chain"] for entry in listed.get("nftables", []) if "chain" in entry]
    names = (chain["name"] for chain in chains if (chain["family"], chain["table"]) == ("ip", table))
    return next((name for name in names if name.startswith(_REVISION)), None)


def _chain(name: str, kind: str, rules: list[str]) -> str:
    lines = "".join(f"    {rule}\n" for rule in rules)
    return f"  chain {name} {{\n    type {kind};\n{lines}  }}"
