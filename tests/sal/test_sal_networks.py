"""Links, bridges, VXLAN, rules and shaping, each in real network namespaces of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network

import pytest

from sal.command import run
from sal.errors import CommandError, LinkMissingError, SpecError
from sal.network.bridges import read_bridges
from sal.network.firewall import ensure_table, read_tables, remove_table
from sal.network.links import ensure_cable, ensure_link, read_links, remove_link
from sal.network.namespaces import ensure_namespace, links_within, namespace_pids, read_namespaces, remove_namespace
from sal.network.shaping import LimitSpec, ensure_limit, read_queue, remove_limit
from sal.network.sharing import Share, SharingSpec, ensure_sharing, read_sharing, remove_sharing
from sal.network.vxlan import VxlanSpec, ensure_vxlan, read_vxlans, remove_vxlan
from sal.spec import read
from sal.system.processes import alive

pytestmark = [pytest.mark.qemu, pytest.mark.usefixtures("real_network")]
_SEND = """
import socket, sys
with socket.create_connection((sys.argv[1], 9), 5) as one:
    one.sendall(bytes(int(sys.argv[2])))
    one.shutdown(socket.SHUT_WR)
    assert one.recv(2) == b"ok"
"""
_TAKE = """
import socket
with socket.create_server(("", 9)) as server:
    print("listening", flush=True)
    while True:
        with server.accept()[0] as one:
            while one.recv(1 << 16):
                pass
            one.sendall(b"ok")
"""


def send(namespace: str, address: str, size: int = 1) -> None:
    """Send so many bytes from a namespace to the server there, and wait until it has them."""
    run(["ip", "netns", "exec", namespace, sys.executable, "-c", _SEND, address, str(size)])


@contextmanager
def server(namespace: str) -> Iterator[None]:
    """Have a server in a namespace within the block."""
    command = ["ip", "netns", "exec", namespace, sys.executable, "-c", _TAKE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "listening\n"
            yield
        finally:
            child.kill()


@pytest.fixture
def pair(prefix: str) -> Iterator[tuple[str, str]]:
    """Give two namespaces with a cable between them, 10.77.0.1 and 10.77.0.2."""
    names = f"{prefix}-p1", f"{prefix}-p2"
    cable = f"{prefix}p"
    for name in names:
        ensure_namespace(name)
    ensure_cable(cable, "eth0", names[0])
    run(["ip", "link", "set", "dev", cable, "netns", names[1], "name", "eth0"])
    for last, name in enumerate(names, 1):
        ensure_link("eth0", name, addresses=[f"10.77.0.{last}/24"])
    yield names
    for name in names:
        remove_namespace(name)


def test_namespace(prefix: str) -> None:
    """A namespace is made once, its loopback is kept up, and it is removed with what runs in it."""
    name = f"{prefix}-n1"
    assert [len(ensure_namespace(name)), ensure_namespace(name)] == [2, []]
    run(["ip", "-netns", name, "link", "set", "dev", "lo", "down"])
    assert ensure_namespace(name) == [f"ip -netns {name} link set dev lo up"]
    child = subprocess.Popen(["ip", "netns", "exec", name, "sleep", "99"])
    while child.pid not in namespace_pids(name):
        assert child.poll() is None
    assert name in read_namespaces()
    assert [len(remove_namespace(name)), remove_namespace(name)] == [1, []]
    assert not alive(child.pid)
    child.wait(9)
    assert links_within(name) is None


def test_links(prefix: str, pair: tuple[str, str]) -> None:
    """A link gets exactly what is asked and nothing is done twice; one that is not there is named."""
    name = pair[0]
    wanted = {"mtu": 1400, "addresses": ["10.77.0.1/24", "10.77.1.1"]}
    assert len(ensure_link("eth0", name, **wanted)) == 2  # type: ignore[arg-type]
    assert ensure_link("eth0", name, **wanted) == []  # type: ignore[arg-type]
    found = read_links(name)["eth0"]
    assert (found.kind, found.mtu, found.up) == ("veth", 1400, True)
    assert found.addresses == ["10.77.0.1/24", "10.77.1.1/32"]
    with pytest.raises(SpecError, match="link eth0: Expected 4 octets"):
        ensure_link("eth0", name, addresses=["10.77.0"])
    assert [len(remove_link("eth0", name)), remove_link("eth0", name)] == [1, []]
    assert "eth0" not in read_links(pair[1])
    with pytest.raises(LinkMissingError, match=f"link eth0: not in namespace {prefix}-p1"):
        ensure_link("eth0", name)


def test_vxlan(pair: tuple[str, str]) -> None:
    """Two ends of a VXLAN carry packets between bridges of two nodes; each is made once, changed, and removed."""
    for last, name in enumerate(pair, 1):
        run(["ip", "-netns", name, "link", "add", "br0", "type", "bridge", "forward_delay", "0"])
        ensure_link("br0", name, addresses=[f"10.78.0.{last}/24"])
        addresses = {"local": f"10.77.0.{last}", "peers": [f"10.77.0.{3 - last}"]}
        spec = read(VxlanSpec, {"name": "vx7", "vni": 7, "bridge": "br0", "mtu": 1450, **addresses}, "vxlan")
        assert len(ensure_vxlan(spec, name)) == 5
        assert ensure_vxlan(spec, name) == []
        assert read_bridges(name)["br0"].ports == ["vx7"]
    with server(pair[1]):
        send(pair[0], "10.78.0.2")
    other = VxlanSpec("vx7", 8, spec.local, [], "br0", mtu=1450)
    assert ensure_vxlan(other, pair[1])[0].endswith("link del dev vx7")
    found = read_vxlans(pair[1])["vx7"]
    assert (found.vni, found.local, found.port, found.peers) == (8, "10.77.0.2", 4789, [])
    assert [len(remove_vxlan("vx7", pair[1])), remove_vxlan("vx7", pair[1])] == [1, []]


def test_firewall(pair: tuple[str, str]) -> None:
    """A table is loaded once, holds back what it says, and stays when its successor is refused."""
    chains = "  chain arriving { type filter hook input priority 0; policy accept; tcp dport 9 reject; }"
    with server(pair[1]):
        send(pair[0], "10.77.0.2")
        assert [len(ensure_table("guard", chains, pair[1])), ensure_table("guard", chains, pair[1])] == [1, []]
        with pytest.raises(CommandError, match="nft"):
            ensure_table("guard", "  chain arriving { nonsense; }", pair[1])
        with pytest.raises(CommandError, match="refused"):
            send(pair[0], "10.77.0.2")
        assert [(one.name, one.chains) for one in read_tables(pair[1])] == [("guard", ["arriving"])]
        assert [len(remove_table("guard", pair[1])), remove_table("guard", pair[1])] == [1, []]
        send(pair[0], "10.77.0.2")


@pytest.mark.parametrize("spec", [LimitSpec(64_000), LimitSpec(8_000_001, 9999, 7), LimitSpec(40_000_000_000, 1 << 20)])
def test_limit_is_recognized(pair: tuple[str, str], spec: LimitSpec) -> None:
    """A limit is set once, whatever the kernel rounds it to."""
    assert [len(ensure_limit("eth0", spec, pair[0])), ensure_limit("eth0", spec, pair[0])] == [1, []]


def test_shaping(pair: tuple[str, str]) -> None:
    """A megabyte takes about a second through a limit of 8 Mbit/s, and a moment without it."""
    with server(pair[1]):
        ensure_limit("eth0", LimitSpec(8_000_000), pair[0])
        started = time.monotonic()
        send(pair[0], "10.77.0.2", 1_000_000)
        assert time.monotonic() - started > 0.8
        found = read_queue("eth0", pair[0])
        assert found is not None
        assert (found.kind, found.rate, found.sent > 1_000_000) == ("tbf", 8_000_000, True)
        assert [len(remove_limit("eth0", pair[0])), remove_limit("eth0", pair[0])] == [1, []]
        assert read_queue("eth0", pair[0]) is None
        send(pair[0], "10.77.0.2", 50_000_000)  # 50 s with the limit, and `run` waits for 30


def test_sharing(pair: tuple[str, str]) -> None:
    """Of a shared link each network gets no more than its ceiling; a sharing is set once, changed, and removed."""
    ensure_link("eth0", pair[1], addresses=["10.77.0.2/24", "10.77.0.3/24"])
    slow = Share(IPv4Network("10.77.0.3"), 1_000_000, 8_000_000)
    spec = SharingSpec(1_000_000_000, [slow, Share(IPv4Network("10.78.0.0/16"), 1_000_000)])
    with server(pair[1]):
        assert [len(ensure_sharing("eth0", spec, pair[0])), ensure_sharing("eth0", spec, pair[0])] == [1, []]
        started = time.monotonic()
        send(pair[0], "10.77.0.3", 1_000_000)
        assert time.monotonic() - started > 0.8
        send(pair[0], "10.77.0.2", 50_000_000)  # 50 s at that ceiling, and `run` waits for 30
        other = SharingSpec(1_000_000_000, [Share(slow.network, 1_000_000)])
        assert [len(ensure_sharing("eth0", other, pair[0])), ensure_sharing("eth0", other, pair[0])] == [1, []]
        send(pair[0], "10.77.0.3", 50_000_000)
    assert [len(remove_sharing("eth0", pair[0])), remove_sharing("eth0", pair[0])] == [1, []]
    assert read_sharing("eth0", pair[0]) is None
