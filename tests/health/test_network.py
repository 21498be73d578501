"""Pings between two real network namespaces: all is well, then the path takes only small packets, then none."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cloud.health import judge_addresses
from portalfw.health.load import judge

ROOT = Path(__file__).parents[2]
CODE = """
import json
from sal.findings import told
from sal.findings.pings import judge_pings, ping
print(json.dumps(told(judge_pings([ping("other", "10.222.0.2", 1500, 3)]))))
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


SERVING = """
from sal.network.throughput import serve
print(serve("10.222.0.2", "k" * 32, 1.0, lambda port: print(port, flush=True)))
"""
MEASURING = """
import json, sys
from sal.findings import told
from sal.findings.throughput import judge_throughput
from sal.network.throughput import measure
found = measure("10.222.0.2", int(sys.argv[1]), sys.argv[2] * 32, 1.0)
print(json.dumps([found.there.megabits, found.back.megabits, found.speed, *told([judge_throughput("other", found)])]))
"""


@pytest.fixture
def namespaces() -> Iterator[tuple[str, str]]:
    """Give two network namespaces with a cable between them, 10.222.0.1 and 10.222.0.2."""
    names = tuple(f"hp{secrets.token_hex(3)}{end}" for end in "ab")
    try:
        for name in names:
            ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("NO NETWORK NAMESPACES: needs root and iproute2")
    try:
        ip("-n", names[0], "link", "add", "x", "type", "veth", "peer", "name", "x", "netns", names[1])
        for place, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.222.0.{place}/24", "dev", "x")
            ip("-n", name, "link", "set", "x", "up")
        yield names[0], names[1]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def found(name: str) -> str:
    command = ["ip", "netns", "exec", name, sys.executable, "-c", CODE]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=ROOT).stdout


def test_pings_between_nodes(namespaces: tuple[str, str]) -> None:
    """A path that is well is OK, one that loses whole packets WARNS, one that loses all is an ERROR."""
    one, other = namespaces
    assert '"OK"' in found(one)
    for name in namespaces:
        ip("-n", name, "link", "set", "x", "mtu", "1400")
    small = found(one)
    assert '"WARNING"' in small
    assert "do not get through" in small
    ip("-n", other, "link", "set", "x", "down")
    assert '"ERROR"' in found(one)


def within(name: str, code: str, *arguments: str) -> subprocess.Popen[str]:
    command = ["ip", "netns", "exec", name, sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_throughput_between_nodes(namespaces: tuple[str, str]) -> None:
    """What is measured is what the link bears, each way; who does not have the key learns and costs nothing."""
    one, other = namespaces
    for name, rate in ((one, "50mbit"), (other, "20mbit")):
        shaped = ["tc", "-n", name, "qdisc", "add", "dev", "x", "root", "tbf"]
        subprocess.run([*shaped, "rate", rate, "burst", "64kb", "latency", "50ms"], check=True, capture_output=True)
    with within(other, SERVING) as serving:
        assert serving.stdout
        port = serving.stdout.readline().strip()
        refused = within(one, MEASURING, port, "x").communicate(timeout=60)
        assert "NetworkError" in refused[1]
        there, back, speed, said = json.loads(within(one, MEASURING, port, "k").communicate(timeout=60)[0])
        carried = int(serving.communicate(timeout=60)[0])
    assert 30 < there < 60
    assert 12 < back < 24
    assert carried > (there + back) * 1e6 / 8 * 0.5
    assert (speed, said["state"]) == (10_000, "ERROR")  # that of a cable between namespaces, as it tells itself


def test_figures_of_an_hour_and_addresses_have_their_states() -> None:
    """Load of an hour and addresses: 80 and 95 %; context switches WARN above 600,000, not the other way round."""
    means = {"cpu": 81.0, "memory": 96.0, "context_switches": 700e3}
    assert [one.state for one in judge(1, "n", means)] == ["WARNING", "ERROR", "WARNING"]
    assert [one.state for one in judge(1, "n", {"context_switches": 1.1e6})] == ["SKIPPED", "SKIPPED", "ERROR"]
    states = [
        judge_addresses({"id": 1, "name": "x", "ips": ["a"] * (100 - used), "taken": ["a"] * used}).state
        for used in (80, 81, 96)
    ]
    assert states == ["OK", "WARNING", "ERROR"]
    assert judge_addresses({"id": 1, "name": "x"}).state == "SKIPPED"
