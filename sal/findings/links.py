"""Load of network cards, and the state of bonds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.findings.finding import Finding, State, graded, skipped
from sal.measures import links

LOAD: Final = (0.8, 0.9)
"""Parts of a card's speed, in the busier direction. The originals asked for 0.8 first, so 0.9 was never an ERROR."""

SAMPLE: Final = 2.0
"""Seconds over which the load is measured."""

CATEGORY: Final = "Network"
_MEGABIT: Final = 125_000.0


@dataclass(frozen=True)
class LinkLoad:
    """Bytes a second that a card takes in and gives out, and its speed in Mbit/s, None if it does not tell."""

    name: str
    received: float
    sent: float
    speed: int | None


@dataclass(frozen=True)
class Bond:
    """A bond and whether each of its slaves is up."""

    name: str
    slaves: Mapping[str, bool]


def link_loads(root: Path = Path("/"), seconds: float = SAMPLE) -> list[LinkLoad]:
    """Measure for some seconds."""
    before = {one.key: one for one in links(root)}
    began = time.monotonic()
    time.sleep(seconds)
    after, took = list(links(root)), time.monotonic() - began
    return [
        LinkLoad(
            one.key,
            max(0.0, one.counters["rx_bytes"] - before[one.key].counters["rx_bytes"]) / took,
            max(0.0, one.counters["tx_bytes"] - before[one.key].counters["tx_bytes"]) / took,
            speed(one.key, root),
        )
        for one in after
        if one.key in before and before[one.key].life == one.life
    ]


def speed(name: str, root: Path = Path("/")) -> int | None:
    """Return a card's speed in Mbit/s; None if it does not tell, as virtual ones and those without a cable."""
    try:
        found = int((root / "sys/class/net" / name / "speed").read_text())
    except (OSError, ValueError):
        return None
    return found if found > 0 else None


def judge_link_loads(found: Iterable[LinkLoad]) -> list[Finding]:
    """Judge each card that tells its speed."""
    return [_judge_link(one) for one in found] or skipped(CATEGORY, "none", "There is no network card")


def _judge_link(one: LinkLoad) -> Finding:
    uid = f"load-{one.name}"
    rate = max(one.received, one.sent)
    if one.speed is None:
        return Finding(CATEGORY, uid, "SKIPPED", f"{one.name} does not tell its speed")
    share = rate / (one.speed * _MEGABIT)
    text = f"{one.name} carries {rate / _MEGABIT:.0f} Mbit/s of {one.speed} ({share:.0%})"
    return Finding(CATEGORY, uid, graded(share, *LOAD), text)


def bonds(root: Path = Path("/")) -> list[Bond]:
    """Read the kernel's bonds."""
    return [Bond(file.name, _slaves(file.read_text())) for file in sorted(root.glob("proc/net/bonding/*"))]


def _slaves(text: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    name = ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "Slave Interface":
            name = value.strip()
        elif key == "MII Status" and name:
            found[name] = value.strip() == "up"
    return found


def judge_bonds(found: Sequence[Bond]) -> list[Finding]:
    """Judge bonds: an ERROR with no slave up, a WARNING with one down."""
    return [_judge_bond(one) for one in found] or skipped("Network", "bonds", "There is no bond")


def _judge_bond(bond: Bond) -> Finding:
    down = [name for name, up in bond.slaves.items() if not up]
    state: State = "OK" if not down else "WARNING"
    if len(down) == len(bond.slaves):
        state = "ERROR"
    words = f"down: {', '.join(down)}" if down else f"all {len(bond.slaves)} slaves are up"
    return Finding(CATEGORY, f"bond-{bond.name}", state, f"{bond.name}: {words or 'it has no slave'}")
