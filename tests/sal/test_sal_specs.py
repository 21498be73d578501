"""What makes no sense is refused, with the field named, before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from sal_making import MAC, NETWORK, forward, gateway, machine

from sal.errors import NetworkError, SalError, SpecError
from sal.hypervisor import MachineSpec
from sal.names import tap
from sal.network import GatewaySpec
from sal.network.links import Link
from sal.network.plan import GatewayFacts, missing


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"memory": 0}, "memory"),
        ({"name": "../x"}, "letters"),
        ({"name": 7}, "name"),
        ({"disks": [{"volume": "a b", "size": 1}]}, "letters"),
        ({"disks": [{"volume": "a", "size": -1}]}, "disks.0.size"),
        ({"nics": [{"bridge": "pf3-b1234567890", "mac": MAC}], "unknown": 1}, "unknown"),
        ({"nics": [{"bridge": "pf3-b123456789012", "mac": MAC}]}, "15"),
        ({"nics": [{"bridge": "pf3-b1", "mac": "52:54:00:5A"}]}, "nics.0.mac"),
    ],
)
def test_machine_refused(change: dict[str, Any], named: str) -> None:
    """A machine that cannot be is refused with a message that names what is wrong."""
    with pytest.raises(SpecError, match=named) as caught:
        MachineSpec.from_json(machine("pf3", **change))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, SalError)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "pf3-g1234567890"}, "15"),
        ({"network": "192.168.203.1/24"}, "network"),
        ({"address": "10.0.0.1"}, "10.0.0.1 is not in"),
        ({"leases": [{"mac": MAC, "ip": "10.0.0.2"}]}, "10.0.0.2 is not in"),
        ({"leases": [{"mac": MAC, "ip": f"{NETWORK}.2", "hostname": "a\nserver=6.6.6.6"}]}, "leases.0.hostname"),
        ({"forwards": [forward(0)]}, "forwards.0.public_port"),
        ({"forwards": [forward(80) | {"protocol": "tcp dport 1; drop"}]}, "forwards.0.protocol"),
        ({"external": {"bridge": "pf3-x1", "address": "172.16.0.2/24", "gateway": "172.17.0.1"}}, "router 172.17.0.1"),
    ],
)
def test_gateway_refused(change: dict[str, Any], named: str) -> None:
    """A gateway that cannot be, or would smuggle a line into a file, is refused, naming what is wrong."""
    with pytest.raises(SpecError, match=named):
        GatewaySpec.from_json(gateway("pf3", **change))


def test_overlap_refused() -> None:
    """An external network that the node already has under another name is refused, naming the link."""
    links = {"pf9-x1": Link("pf9-x1", up=True, addresses=["172.30.203.1/24"])}
    with pytest.raises(NetworkError, match="pf9-x1"):
        missing(GatewaySpec.from_json(gateway("pf3")), GatewayFacts(links=links))


def test_password_hidden() -> None:
    """A machine's password does not show when its description is printed."""
    assert "simple" not in repr(MachineSpec.from_json(machine("pf3")))


def test_tap_names() -> None:
    """A machine's link on the node has a name of its own, which the kernel takes."""
    assert tap("pf3fa1-m12345", 0) == "pf3fa1-m12345n0"
    with pytest.raises(SpecError, match="shorter site"):
        tap("pf3fa1-m123456", 0)
