"""Guests: packets of their cards, errors in their hypervisor's logs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.errors import HypervisorError
from sal.findings.finding import Finding, graded, skipped
from sal.hypervisor import Hypervisor
from sal.hypervisor.guest_measures import guests

PACKETS: Final = (8_000, 10_000)
"""Packets a second of one guest, both ways. The originals destroyed a guest at its third strike; nothing acts here."""

SAMPLE: Final = 2.0
LOGS: Final = Path("/var/log/libvirt/qemu")
BAD: Final = re.compile(r"\b(error|failed|failure|could not|cannot|unable to|i/o error|killed)\b", re.IGNORECASE)
HARMLESS: Final = re.compile(r"terminating on signal 15|shutting down, reason=(destroyed|shutdown)", re.IGNORECASE)
MOST: Final = 1 << 20
"""Bytes of one log that are read at a time, the last ones."""


@dataclass(frozen=True)
class NewLines:
    """What a guest's log says since the last look."""

    guest: str
    lines: tuple[str, ...]


def packet_rates(hypervisor: Hypervisor, prefix: str, seconds: float = SAMPLE) -> dict[str, float]:
    """Measure packets a second of each running guest of a prefix. Raises `HypervisorError`."""
    before = _packets(hypervisor, prefix)
    began = time.monotonic()
    time.sleep(seconds if before else 0)
    after, took = _packets(hypervisor, prefix), max(time.monotonic() - began, 0.001)
    return {name: max(0.0, count - before[name]) / took for name, count in after.items() if name in before}


def _packets(hypervisor: Hypervisor, prefix: str) -> dict[str, float]:
    return {
        one.key: one.counters.get("rx_packets", 0.0) + one.counters.get("tx_packets", 0.0)
        for one in guests(hypervisor, prefix)
        if one.kind == "guest"
    }


def judge_packet_rates(rates: Mapping[str, float]) -> list[Finding]:
    """Judge each guest."""
    return [
        Finding("Network", f"guest-{name}", graded(rate, *PACKETS), f"{name}: {rate:.0f} packets a second")
        for name, rate in sorted(rates.items())
    ] or skipped("Network", "guests", "No guest runs here")


def new_lines(prefix: str, remembered: Path, logs: Path = LOGS) -> list[NewLines]:
    """Read what guests' logs say since the last time; ``remembered`` keeps where that was."""
    try:
        places = json.loads(remembered.read_text())
    except (OSError, ValueError):
        places = {}
    found, now = [], {}
    for file in sorted(logs.glob(f"{prefix}*.log")):
        size = file.stat().st_size
        known = places.get(file.stem)
        begin = size if known is None else known if known <= size else 0  # what was written before is long past
        with file.open("rb") as log:
            log.seek(max(begin, size - MOST))
            text = log.read(MOST).decode(errors="replace")
        now[file.stem] = size
        found.append(NewLines(file.stem, tuple(text.splitlines())))
    remembered.write_text(json.dumps(now))
    return found


def judge_lines(found: Sequence[NewLines]) -> list[Finding]:
    """Judge logs: a line that tells of an error WARNS until the next look; each guest has a uid, well or not."""
    return [_judge(one) for one in found] or skipped("Hypervisor", "logs", "No guest has a log here")


def _judge(one: NewLines) -> Finding:
    bad = [line for line in one.lines if BAD.search(line) and not HARMLESS.search(line)]
    uid = f"log-{one.guest}"
    if not bad:
        return Finding("Hypervisor", uid, "OK", f"The log of {one.guest} tells of no error")
    return Finding("Hypervisor", uid, "WARNING", f"The log of {one.guest} tells of {len(bad)} errors: {bad[-1][:200]}")


def unreachable(error: HypervisorError) -> list[Finding]:
    """Return what to say where the hypervisor does not answer."""
    return [Finding("Hypervisor", "reached", "ERROR", f"The hypervisor does not answer: {error}")]
