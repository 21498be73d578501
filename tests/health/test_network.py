"""Pings between two real network namespaces: all is well, then the path takes only small packets, then none."""

from __future__ import annotations

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
