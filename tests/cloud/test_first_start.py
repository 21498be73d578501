"""What the first start chooses by what it finds on the machine."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from actors.cloud.first_start import free_range, used_networks


@pytest.mark.parametrize(
    ("used", "chosen"),
    [
        ([], "172.27.9.0/24"),
        (["172.27.9.128/25"], "172.27.73.0/24"),
        (["172.16.0.0/12"], "192.168.219.0/24"),
        (["172.16.0.0/12", "192.168.0.0/16"], "10.213.0.0/24"),
        (["172.16.0.0/12", "192.168.0.0/16", "10.213.0.0/23"], "10.213.2.0/24"),
        (["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"], None),
    ],
)
def test_the_first_network_overlaps_nothing(used: list[str], chosen: str | None) -> None:
    """The first external network is the first of the ranges that touches no network of the host."""
    found = free_range([IPv4Network(text) for text in used])
    assert (str(found) if found else None) == chosen


def test_the_hosts_networks_are_seen() -> None:
    """The host's own addresses count as used, the default route does not."""
    found = used_networks()
    assert any(network.overlaps(IPv4Network("127.0.0.0/8")) for network in found)
    assert IPv4Network("0.0.0.0/0") not in found
