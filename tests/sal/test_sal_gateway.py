"""A real gateway: namespace, cables, rules, DHCP and DNS on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sal_making import EXTERNAL, NETWORK, forward, gateway

from sal.command import run
from sal.errors import NetworkError
from sal.findings.gateways import gateway_names
from sal.network import Gateway, GatewaySpec, ensure_bridge, remove_bridge_if_unused
from sal.network.links import read_links

pytestmark = [pytest.mark.qemu, pytest.mark.usefixtures("real_network")]
Make = Callable[..., Gateway]


@pytest.fixture
def make(prefix: str, tmp_path: Path) -> Iterator[Make]:
    """Give a way to describe the test's gateway, and remove it afterwards."""
    made: list[Gateway] = []

    def describe(**changes: Any) -> Gateway:
        made.append(Gateway(GatewaySpec.from_json(gateway(prefix, **changes)), tmp_path))
        return made[-1]

    yield describe
    for one in made:
        one.remove()


def test_made_once_and_removed_whole(make: Make, tmp_path: Path) -> None:
    """A gateway is made once; its removal leaves no link, namespace, rule, process or file."""
    one = make()
    assert [one.apply().changed, one.apply().changed] == [True, False]
    facts = one.facts()
    assert (facts.router, facts.forwarding, facts.namespace) == (f"{EXTERNAL}.1", True, True)
    pids = one.dnsmasq.pids()
    assert len(pids) == 1
    assert [one.remove().changed, one.remove().changed] == [True, False]
    assert left(one.spec.name[:-2]) == []
    assert not alive(pids[0])
    assert list(tmp_path.iterdir()) == []


def test_repaired(make: Make) -> None:
    """Whatever of a gateway was lost or changed is put right, and nothing else."""
    one = make()
    one.apply()
    name = one.spec.name
    damages = (
        ["ip", "link", "del", "dev", one.spec.inside_link],
        ["ip", "-netns", name, "address", "add", "10.9.9.9/24", "dev", "outside"],
        ["ip", "-netns", name, "route", "del", "default"],
        ["ip", "netns", "exec", name, "nft", "flush", "ruleset"],
        ["nft", "delete", "table", "ip", one.spec.external.bridge],
        ["ip", "link", "set", "dev", one.spec.bridge, "down"],
        ["ip", "netns", "delete", name],
    )
    for damage in damages:
        run(damage)
        assert one.apply().changed, damage
        assert not one.apply().changed, damage
        assert len(one.dnsmasq.everywhere()) == 1, damage
    os.kill(one.dnsmasq.pids()[0], signal.SIGKILL)
    until(lambda: not one.dnsmasq.pids())
    assert one.apply().changed
    assert len(one.dnsmasq.pids()) == 1


def test_what_is_left_of_a_gateway_is_named(make: Make, prefix: str, tmp_path: Path) -> None:
    """A gateway that lost its namespace and its files is still told by the dnsmasq that serves nobody."""
    one = make()
    one.apply()
    run(["ip", "netns", "delete", one.spec.name])
    shutil.rmtree(one.dnsmasq.folder)
    assert gateway_names(prefix, tmp_path) == {one.spec.name}
    assert one.remove().changed
    assert gateway_names(prefix, tmp_path) == set()


def test_new_lease_without_restart(make: Make) -> None:
    """A new lease is answered without a restart of dnsmasq; one that was given and is gone is forgotten with one."""
    one = make()
    one.apply()
    pids = one.dnsmasq.pids()
    second = {"mac": "52:54:00:5a:17:02", "ip": f"{NETWORK}.9", "hostname": "db-1"}
    more = make(leases=[*gateway("x")["leases"], second])
    assert more.apply().changed
    until(lambda: name_of(more, f"{NETWORK}.1", "db-1") == f"{NETWORK}.9")
    assert more.dnsmasq.pids() == pids
    (more.dnsmasq.folder / "leases").write_text(f"{int(time.time()) + 999} {second['mac']} {second['ip']} db-1 *\n")
    assert make().apply().changed
    assert one.dnsmasq.pids() != pids
    assert (one.dnsmasq.folder / "leases").read_text() == ""


def test_new_forward(make: Make) -> None:
    """A new forward replaces the rules and leaves DHCP alone."""
    one = make()
    one.apply()
    pids = one.dnsmasq.pids()
    assert make(forwards=[forward(8080), forward(8081)]).apply().changed
    rules = run(["ip", "netns", "exec", one.spec.name, "nft", "list", "table", "ip", "gateway"])
    assert "dport 8081 dnat to" in rules
    assert one.dnsmasq.pids() == pids


def test_shared_external_network(make: Make, prefix: str) -> None:
    """The external bridge stays until its last gateway goes."""
    one = make()
    one.apply()
    address = {**gateway(prefix)["external"], "address": f"{EXTERNAL}.21/24"}
    two = make(name=f"{prefix}-g5", bridge=f"{prefix}-b5", external=address, forwards=[])
    two.apply()
    one.remove()
    assert f"{prefix}-x1" in read_links()
    assert f"{prefix}-b4" not in read_links()
    two.remove()
    assert f"{prefix}-x1" not in read_links()


def test_network_taken(make: Make, prefix: str) -> None:
    """A second installation with the same external network is refused by name, and the first is not disturbed."""
    one = make()
    one.apply()
    other = make(name=f"{prefix}-g6", external={**gateway(prefix)["external"], "bridge": f"{prefix}-x2"})
    with pytest.raises(NetworkError, match=f"{prefix}-x1"):
        other.apply()
    assert f"{prefix}-x2" not in read_links()
    assert not one.apply().changed


def test_dnsmasq_outlives_its_starter(make: Make) -> None:
    """DHCP and DNS go on when the process that made the gateway has ended, and its group is killed."""
    one = make()
    code = (
        "import json, sys; from pathlib import Path; from sal.network import Gateway, GatewaySpec\n"
        "Gateway(GatewaySpec.from_json(json.loads(sys.argv[1])), Path(sys.argv[2])).apply()"
    )
    text = json.dumps(gateway(one.spec.name[:-3]))
    child = subprocess.Popen([sys.executable, "-c", code, text, str(one.dnsmasq.folder.parent)], start_new_session=True)
    assert child.wait(20) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    assert name_of(one, f"{NETWORK}.1", "web-1") == f"{NETWORK}.254"


@pytest.fixture
def plug(prefix: str) -> Iterator[Callable[[str, int], str]]:
    """Give a way to plug a namespace into the cloudspace in a machine's place; they are removed afterwards."""
    made: list[str] = []

    def make_one(bridge: str, last: int) -> str:
        name, cable = f"{prefix}-c{last}", f"{prefix}c{last}"
        made.append(name)
        run(["ip", "netns", "add", name])
        run(["ip", "link", "add", "name", cable, "type", "veth", "peer", "name", "eth0", "netns", name])
        run(["ip", "link", "set", "dev", cable, "master", bridge, "up"])
        run(["ip", "-netns", name, "link", "set", "dev", "eth0", "up"])
        run(["ip", "-netns", name, "address", "add", f"{NETWORK}.{last}/24", "dev", "eth0"])
        run(["ip", "-netns", name, "route", "add", "default", "via", f"{NETWORK}.1"])
        return name

    yield make_one
    for name in made:
        run(["ip", "link", "del", "dev", name.replace("-", "")])
        run(["ip", "netns", "delete", name])


SERVER = (
    "import socket; s = socket.create_server(('', 80)); print('ready', flush=True)\n"
    "while True: c, a = s.accept(); c.send(a[0].encode()); c.close()"
)
CLIENT = (
    "import socket, sys\n"
    "try: print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).recv(99).decode(), end='')\n"
    "except OSError: print('no', end='')"
)


def test_ways_through(make: Make, plug: Callable[[str, int], str]) -> None:
    """A forward works from outside and from inside, what is not forwarded does not pass, and machines reach out."""
    one = make()
    one.apply()
    server, client = plug(one.spec.bridge, 254), plug(one.spec.bridge, 9)

    def ask(address: str, port: int, *namespace: str) -> str:
        return run([*namespace, sys.executable, "-c", CLIENT, address, str(port)])

    inside = ("ip", "netns", "exec", client)
    with (
        subprocess.Popen(
            ["ip", "netns", "exec", server, sys.executable, "-c", SERVER], stdout=subprocess.PIPE
        ) as guest,
        socket.create_server((f"{EXTERNAL}.1", 0)) as outside,
    ):
        assert guest.stdout is not None
        guest.stdout.readline()
        assert ask(f"{EXTERNAL}.20", 8080) == f"{EXTERNAL}.1"
        assert ask(f"{EXTERNAL}.20", 8080, *inside) == f"{NETWORK}.1"
        assert ask(f"{EXTERNAL}.20", 80) == "no"
        run(["ip", "route", "add", f"{NETWORK}.0/24", "via", f"{EXTERNAL}.20"])
        try:
            assert ask(f"{NETWORK}.254", 80) == "no"
        finally:
            run(["ip", "route", "del", f"{NETWORK}.0/24"])
        port = outside.getsockname()[1]
        caller = subprocess.Popen([*inside, sys.executable, "-c", CLIENT, f"{EXTERNAL}.1", str(port)])
        outside.settimeout(5)
        connection, address = outside.accept()
        connection.close()
        caller.wait(5)
        assert address[0] == f"{EXTERNAL}.20"
        guest.kill()


def test_bridge(prefix: str) -> None:
    """A bridge is made once, stays while something is plugged in, and is removed once."""
    name, cable = f"{prefix}-b7", f"{prefix}v"
    assert [ensure_bridge(name), ensure_bridge(name)] == [True, False]
    run(["ip", "link", "add", "name", cable, "type", "veth", "peer", "name", f"{cable}p"])
    run(["ip", "link", "set", "dev", cable, "master", name])
    assert not remove_bridge_if_unused(name)
    run(["ip", "link", "del", "dev", cable])
    assert [remove_bridge_if_unused(name), remove_bridge_if_unused(name)] == [True, False]


def name_of(one: Gateway, server: str, name: str) -> str:
    """Ask a gateway's DNS for a name, from within its namespace, and return the address; empty if it knows none."""
    code = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.connect((sys.argv[1], 53))\n"
        "label = bytes([len(sys.argv[2])]) + sys.argv[2].encode()\n"
        "s.send(bytes.fromhex('0001 0100 0001 0000 0000 0000') + label + bytes.fromhex('00 0001 0001'))\n"
        "r = s.recv(512); sys.stdout.write('.'.join(map(str, r[-4:])) if r[7] else '')"
    )
    return run(["ip", "netns", "exec", one.spec.name, sys.executable, "-c", code, server, name])


def until(condition: Callable[[], bool], limit: float = 10) -> None:
    """Wait for a condition."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "the condition did not come about"
        time.sleep(0.02)


def left(prefix: str) -> list[str]:
    """Return all links, namespaces and rule tables whose names begin so."""
    namespaces = [path.name for path in Path("/run/netns").iterdir()]
    tables = [line.split()[-1] for line in run(["nft", "list", "tables"]).splitlines()]
    return sorted(name for name in (*read_links(), *namespaces, *tables) if name.startswith(prefix))


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be counted off does not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_loopback_is_not_a_resolver() -> None:
    """The name servers that a gateway asks are never the node's own loopback."""
    from sal.network.dnsmasq import nameservers

    assert not any(socket.inet_aton(server)[0] == 127 for server in nameservers() if ":" not in server)
