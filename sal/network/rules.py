"""Filter and translation rules of a gateway, as nftables text; `sal.network.firewall` puts them in force."""

from __future__ import annotations

from typing import Final

from sal.network.spec import INSIDE, OUTSIDE, ExternalSpec, GatewaySpec

TABLE: Final = "gateway"


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


def _chain(name: str, kind: str, rules: list[str]) -> str:
    lines = "".join(f"    {rule}\n" for rule in rules)
    return f"  chain {name} {{\n    type {kind};\n{lines}  }}"
