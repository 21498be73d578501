"""From counters to rates."""

from __future__ import annotations

import pytest

from agent.rates import Rates, with_totals
from sal.measured import Measured


def rate_of(*reads: tuple[float, float, str]) -> float | None:
    """Return the last rate of a counter that was read so: (seconds, value, life)."""
    rates = Rates()
    for at, value, life in reads:
        found = rates.of("node", [Measured("nic", "eth0", counters={"rx_bytes": value}, life=life)], at)
    return found[0].values["rx_bytes"] if found else None


@pytest.mark.parametrize(
    ("reads", "rate"),
    [
        ([(0, 100, "2")], None),
        ([(0, 100, "2"), (10, 600, "2")], 50),
        ([(0, 100, "2"), (12.5, 600, "2")], 40),
        ([(0, 600, "2"), (10, 100, "2")], None),
        ([(0, 600, "2"), (10, 100, "2"), (20, 300, "2")], 20),
        ([(0, 2**32 - 96, "2"), (10, 404, "2")], 50),
        ([(0, 2**32 + 96, "2"), (10, 404, "2")], None),
        ([(0, 100, "2"), (10, 600, "3")], None),
        ([(10, 100, "2"), (10, 600, "2")], None),
    ],
    ids=["new", "grown", "late", "reset", "after-reset", "wrapped", "reset-of-64-bits", "made-again", "no-time"],
)
def test_rate(reads: list[tuple[float, float, str]], rate: float | None) -> None:
    """A counter's rate is its growth a second; where it began anew there is none, and never a wrong one."""
    assert rate_of(*reads) == rate


def test_shares_and_totals() -> None:
    """Percentages stay within 100; a node has what all its own disks and links do together."""
    rates = Rates()
    for at, count in ((0.0, 0.0), (10.0, 1010.0)):
        found = rates.of(
            "node",
            [
                Measured("node", gauges={"load1": 1.5}, counters={"cpu": count}),
                Measured("nic", "a", counters={"rx_bytes": count}),
                Measured("nic", "b", counters={"rx_bytes": 2 * count}),
                Measured("guest_nic", "c", counters={"rx_bytes": count}),
            ],
            at,
        )
    assert with_totals(found)[0].values == {"load1": 1.5, "cpu": 100.0, "rx_bytes": 303.0}


def test_what_is_gone_is_forgotten() -> None:
    """A disk that was away for a while has no rate over that while."""
    rates, disk = Rates(), [Measured("disk", "sdb", counters={"reads": 5.0})]
    for measured, at in ((disk, 0.0), ([], 10.0), (disk, 20.0)):
        assert not rates.of("node", measured, at)
