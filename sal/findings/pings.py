"""How well other nodes are reached: lost packets, delay, and the greatest packet that gets through."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from sal.findings.finding import Finding, State, graded, skipped
from sal.network.icmp import echo

COUNT: Final = 10
ANSWERED: Final = (90.0, 70.0)
"""Percent of pings that must be answered. The originals compared a text with a number here, so loss never warned."""

DELAY: Final = (10.0, 200.0)
"""Milliseconds. In the originals 200 was never asked, and a WARNING of delay replaced an ERROR of loss."""

CATEGORY: Final = "Network"


@dataclass(frozen=True)
class Ping:
    """Pings of one address: sent and answered, mean delay in milliseconds, whether packets of ``mtu`` bytes pass."""

    name: str
    address: str
    sent: int
    answered: int
    delay: float | None = None
    mtu: int | None = None
    whole: bool | None = None


def ping(name: str, address: str, mtu: int | None = None, count: int = COUNT) -> Ping:
    """Ping an address, then up to three times with a packet of ``mtu`` bytes that is not taken apart.

    Raises `ValueError` if it is no address, `NetworkError` if this process may not ping.
    """
    delays = echo(address, count)
    whole = None
    if mtu and delays:
        whole = any(echo(address, 1, mtu) for _ in range(3))
    return Ping(name, address, count, len(delays), sum(delays) / len(delays) if delays else None, mtu, whole)


def ping_all(peers: Sequence[tuple[str, str]], mtu: int | None = None, count: int = COUNT) -> list[Ping]:
    """Ping several (name, address) side by side."""
    with ThreadPoolExecutor(max(1, min(16, len(peers)))) as pool:
        return list(pool.map(lambda peer: ping(peer[0], peer[1], mtu, count), peers))


def judge_pings(found: Sequence[Ping]) -> list[Finding]:
    """Judge each address; loss, delay and size each have their say, and the worst counts."""
    return [_judge(one) for one in found] or skipped(CATEGORY, "peers", "There is no other node to reach")


def _judge(one: Ping) -> Finding:
    share = 100 * one.answered / one.sent if one.sent else 0.0
    states: list[State] = [graded(-share, -ANSWERED[0], -ANSWERED[1])]
    words = [f"{one.answered} of {one.sent} pings answered"]
    if one.delay is not None:
        states.append(graded(one.delay, *DELAY))
        words.append(f"{one.delay:.1f} ms")
    if one.whole is not None:
        states.append("OK" if one.whole else "WARNING")
        words.append(f"packets of {one.mtu} bytes {'get' if one.whole else 'do not get'} through")
    worst: State = next((state for state in ("ERROR", "WARNING") if state in states), "OK")
    return Finding(CATEGORY, f"peer-{one.name}", worst, f"{one.name} ({one.address}): {', '.join(words)}")
