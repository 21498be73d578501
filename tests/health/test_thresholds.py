"""The thresholds of the checks on nodes, as JSON cases: facts in, a state for each uid out."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from product import REPOSITORY

from sal.findings import graded
from sal.findings.hardware import arrays, read_ipmi, temperatures
from sal.findings.links import Bond, bonds

CASES = json.loads((Path(__file__).parent / "cases" / "thresholds.json").read_text())
MDSTAT = """Personalities : [raid1]
md0 : active raid1 sdb1[1] sda1[0]
      1953381376 blocks super 1.2 [2/2] [UU]
      bitmap: 0/15 pages [0KB], 65536KB chunk

md1 : active (auto-read-only) raid1 sdb2[2](F) sda2[0]
      1000 blocks [2/1] [U_]
      [==>..................]  recovery = 12.6% (126/1000) finish=127.5min speed=33440K/sec

unused devices: <none>
"""
BOND = """Bonding Mode: IEEE 802.3ad
MII Status: up

Slave Interface: eth0
MII Status: up

Slave Interface: eth1
MII Status: down
"""


def named(name: str) -> Any:
    module, _, attribute = name.partition(".")
    return getattr(importlib.import_module(f"sal.findings.{module}"), attribute)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"][:50])
def test_each_figure_has_its_state(case: dict[str, Any]) -> None:
    """Each threshold is where the documents say, and all findings have a uid of their own."""
    facts = case["facts"]
    if "fact" in case:
        facts = [named(case["fact"])(**one) for one in facts]
    elif "one" in case:
        facts = named(case["one"])(**facts)
    found = named(case["judge"])(facts)
    assert {one.uid: one.state for one in found} == case["found"]
    assert len({one.uid for one in found}) == len(found)
    assert all(one.message and one.category for one in found)


def test_the_graver_limit_is_asked_first() -> None:
    """A figure beyond both limits is an ERROR: in the originals the warning came first and hid it."""
    assert [graded(value, 80, 90) for value in (80, 81, 91)] == ["OK", "WARNING", "ERROR"]


def test_what_the_kernel_and_ipmi_print_is_read(tmp_path: Path) -> None:
    """RAID, bonds, sensors and IPMI are read as they are printed."""
    one, other = arrays(MDSTAT)
    assert (one.name, one.wanted, one.there, one.failed, one.work) == ("md0", 2, 2, (), "")
    assert (other.name, other.there, other.failed, other.work) == ("md1", 1, ("sdb2",), "recovery 12.6%")
    folder = tmp_path / "proc/net/bonding"
    folder.mkdir(parents=True)
    (folder / "bond0").write_text(BOND)
    assert bonds(tmp_path) == [Bond("bond0", {"eth0": True, "eth1": False})]
    chip = tmp_path / "sys/class/hwmon/hwmon0"
    chip.mkdir(parents=True)
    for name, text in {
        "name": "drivetemp",
        "temp1_input": "61000",
        "temp1_max": "70000",
        "temp2_input": "-9e9",
    }.items():
        (chip / name).write_text(text)
    (sensor,) = temperatures(tmp_path)
    assert (sensor.name, sensor.celsius, sensor.high, sensor.disk) == ("drivetemp temp1", 61, 70, True)
    printed = (
        "PS1 Status,C8h,ok,10.1,Presence detected\nPS2 Status,C9h,ok,10.2,Power Supply AC lost\nPS3,CAh,ns,10.3,\n"
    )
    assert [part.well for part in read_ipmi("Power Supply", printed)] == [True, False, None]


def test_the_list_of_checks_is_not_stale() -> None:
    """``docs/health.md`` lists the checks as they describe themselves now."""
    command = [sys.executable, str(REPOSITORY / "tools" / "health_docs.py"), "--check"]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0, "run python tools/health_docs.py"
