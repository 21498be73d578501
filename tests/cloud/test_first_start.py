"""What the first start chooses by what it finds on the machine."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from actors.cloud.first_start import free_range, used_networks


@pytest.mark.parametrize(
    ("used", "within"),
    [
        ([], ["10.213.0.0/16", "172.27.0.0/16", "172.29.0.0/16"]),
        (["172.16.0.0/12"], ["10.213.0.0/16"]),
        (["172.16.0.0/12", "10.213.0.0/17", "10.213.128.0/18", "10.213.192.0/19"], ["10.213.224.0/19"]),
        (["10.0.0.0/8", "172.29.0.1/32", "172.27.0.0/16"], ["172.29.0.0/16"]),
        (["172.16.0.0/12", "10.0.0.0/8"], []),
    ],
)
def test_the_first_network_overlaps_nothing(used: list[str], within: list[str]) -> None:
    """The first external network is a /24 of the ranges that touches no network of the host."""
    taken = [IPv4Network(text) for text in used]
    found = free_range(taken)
    if found is None:
        assert not within
        return
    assert found.prefixlen == 24
    assert any(found.subnet_of(IPv4Network(text)) for text in within)
    assert not any(found.overlaps(network) for network in taken)


def test_the_hosts_networks_are_seen() -> None:
    """The host's own addresses count as used, the default route does not."""
    found = used_networks()
    assert any(network.overlaps(IPv4Network("127.0.0.0/8")) for network in found)
    assert IPv4Network("0.0.0.0/0") not in found
