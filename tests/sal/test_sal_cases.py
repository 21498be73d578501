"""From a spec to what the system is told: each file of ``cases/`` is one case. A new quirk is a new file."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from sal.command import Command
from sal.hypervisor.domain_xml import domain_xml
from sal.hypervisor.seed import seed_files
from sal.hypervisor.spec import MachineSpec
from sal.network import GatewaySpec
from sal.network.dnsmasq import config_text, hosts_files, outdated_leases
from sal.network.firewall import revision
from sal.network.links import Link
from sal.network.plan import GatewayFacts, missing
from sal.network.rules import gateway_rules, host_rules

CASES = Path(__file__).parent / "cases"


def case(kind: str) -> Any:
    return pytest.mark.parametrize("path", sorted(CASES.glob(f"{kind}-*.json")), ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@case("domain")
def test_domain(path: Path) -> None:
    """A machine becomes exactly this domain."""
    found = read(path)
    spec = MachineSpec.from_json(found["machine"])
    assert domain_xml(spec, found["domain_type"], found["paths"], "mark").splitlines() == found["xml"]


@case("seed")
def test_seed(path: Path) -> None:
    """A machine's first words are exactly these, whatever its user typed."""
    found = read(path)
    spec = MachineSpec.from_json(found["machine"])
    assert spec.seed is not None
    files = {name: text.splitlines() for name, text in seed_files(spec, spec.seed).items()}
    assert files == found["files"]


@case("rules")
def test_rules(path: Path) -> None:
    """A gateway has exactly these rules, and the node these for its external network."""
    found = read(path)
    spec = GatewaySpec.from_json(found["gateway"])
    assert gateway_rules(spec).splitlines() == found["gateway_rules"]
    assert host_rules(spec.external).splitlines() == found["host_rules"]


@case("dnsmasq")
def test_dnsmasq(path: Path) -> None:
    """DHCP and DNS of a cloudspace are configured exactly so."""
    found = read(path)
    spec = GatewaySpec.from_json(found["gateway"])
    text = config_text(spec, Path("/run/x"), found["servers"], "dnsmasq").splitlines()
    assert text == found["config"]
    assert {name: lines.splitlines() for name, lines in hosts_files(spec).items()} == found["files"]
    assert outdated_leases(spec, found["leases"]) == found["outdated"]


@case("gateway")
def test_gateway(path: Path) -> None:
    """What is there of a gateway leads to exactly the commands that are missing."""
    found = read(path)
    spec = GatewaySpec.from_json(found["gateway"])
    assert [shown(command) for command in missing(spec, facts_of(found["facts"], spec))] == found["commands"]


def facts_of(found: dict[str, Any], spec: GatewaySpec) -> GatewayFacts:
    """Read the facts of a case; ``current`` stands for the digest of the rules as they should be."""
    current = {"revision": revision(gateway_rules(spec)), "host_revision": revision(host_rules(spec.external))}
    values = {key: current[key] if value == "current" else value for key, value in found.items()}
    for key in ("links", "own_links"):
        values[key] = {link["name"]: Link(**link) for link in values.get(key, [])}
    return GatewayFacts(**values)


def shown(command: Command) -> str:
    """Return a command as one line; what it is given to read is another case's matter."""
    return shlex.join(command.args)
