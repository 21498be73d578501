"""Samples taken in, rolled up and told, over a real MongoDB."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import gevent
import pytest

from agent.protocol import Figures, Sample, Samples
from portalfw.errors import InvalidError
from portalfw.statistics import Intake, rollup
from portalfw.statistics.answer import statistics
from portalfw.statistics.catalogue import CATALOGUE
from portalfw.statistics.levels import HOURS, MINUTES, RAW, Level, ensure_levels
from portalfw.statistics.series import Thing, busiest, series, span

NODE = Thing("node", "", 1)


@pytest.fixture(autouse=True)
def levels(database: Any) -> None:
    """Make the collections in the test's database."""
    del database
    ensure_levels()
    ensure_levels()  # as at each start


def batch(begin: float, values: list[float | None], *, first: int = 1, spool: str = "a") -> Samples:
    """Return samples of a node's processors, one each ten seconds; None is a sample without that figure."""
    samples = [
        Sample(
            number=first + n,
            at=int(begin) + 10 * n,
            figures=[Figures(kind="node", values={"load1": 1.0} if value is None else {"cpu": value, "load1": 1.0})],
        )
        for n, value in enumerate(values)
    ]
    return Samples(spool=spool, samples=samples)


def best(level: Level) -> dict[int, dict[str, Any]]:
    """Return of each time the row of most samples, as readers do."""
    found: dict[int, dict[str, Any]] = {}
    for row in level.collection.find():
        at = int(row["at"].timestamp())
        if at not in found or row["n"] > found[at]["n"]:
            found[at] = row
    return found


def test_each_sample_counts_once() -> None:
    """A batch that is sent twice, at once or later, to this process or another, is there once for every reader."""
    begin = MINUTES.floor(time.time() - 900)
    message = batch(begin, [1.0, 2.0, 3.0])
    intake = Intake()
    at_once = [gevent.spawn(Intake().take, 1, message), gevent.spawn(Intake().take, 1, message)]
    assert [one.get() for one in at_once] == [3, 3]
    assert intake.take(1, message) == 3
    assert intake.take(1, batch(begin + 30, [4.0], first=4)) == 4
    assert RAW.collection.count_documents({}) <= 7  # the two at once may lie there twice
    assert series(NODE, ["cpu"], span(begin, None))["cpu"] == [(begin + 10 * n, n + 1.0) for n in range(4)]
    rollup.roll_up()
    row = best(MINUTES)[begin]
    assert (row["n"], row["cpu"], row["cpu:min"], row["cpu:max"]) == (4, 2.5, 1.0, 4.0)


def test_a_new_spool_begins_anew() -> None:
    """An agent whose folder was lost counts from 1 again, and is heard."""
    begin, intake = MINUTES.floor(time.time() - 900), Intake()
    intake.take(1, batch(begin, [1.0, 1.0]))
    intake.take(1, batch(begin + 20, [3.0], spool="b"))
    assert [value for _, value in series(NODE, ["cpu"], span(begin, None))["cpu"]] == [1.0, 1.0, 3.0]


def test_rolling_up_again_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A duty that dies after any write begins again where it was, and no reader sees anything twice."""
    begin = HOURS.floor(time.time()) - 3600
    intake = Intake()
    for n in range(12):
        intake.take(1, batch(begin + 300 * n, [float(n)] * 30, first=1 + 30 * n))
    noted: list[int] = []
    note = rollup._note

    def die(level: Level, **times: int) -> None:
        if "done" in times:
            noted.append(times["done"])
            if len(noted) == 5:
                raise RuntimeError("killed")
        note(level, **times)

    monkeypatch.setattr(rollup, "_note", die)
    with pytest.raises(RuntimeError):
        rollup.roll_up()
    rollup.roll_up()
    rollup.roll_up()
    minutes = best(MINUTES)
    assert [minutes[begin + 300 * n]["cpu"] for n in range(12)] == [float(n) for n in range(12)]
    hour = best(HOURS)[begin]
    assert (hour["n"], hour["cpu"], hour["cpu:min"], hour["cpu:max"]) == (360, 5.5, 0.0, 11.0)
    assert rollup.made(MINUTES) == MINUTES.floor(time.time() - rollup.GRACE)


def test_late_samples() -> None:
    """What comes hours late, after its time was rolled up without it, is found in the minutes and hours."""
    begin, intake = HOURS.floor(time.time()) - 5 * 3600, Intake()
    intake.take(2, batch(time.time() - 3 * 3600, [7.0] * 30))
    rollup.roll_up()
    intake.take(1, batch(begin, [10.0] * 30))
    intake.take(1, batch(begin + 300, [None] * 10 + [40.0] * 10, first=31))
    minutes = dict(series(NODE, ["cpu"], span(begin, begin + 7200))["cpu"])
    assert (minutes[begin], minutes[begin + 300]) == (10.0, 40.0)
    hour = next(row for row in HOURS.collection.find({"s.node": 1}).sort("n", -1))
    assert hour["n"] == 50
    assert hour["cpu"] == pytest.approx((10.0 * 30 + 40.0 * 20) / 50)


def test_a_late_step_in_two_parts() -> None:
    """Of a step that is made again when more of it comes, readers and the next store take the row of all samples."""
    begin, intake = HOURS.floor(time.time()) - 5 * 3600, Intake()
    intake.take(1, batch(begin, [1.0] * 20))
    intake.take(1, batch(begin + 200, [4.0] * 10, first=21))
    assert series(NODE, ["cpu"], span(begin, begin + 600))["cpu"] == [(begin, 2.0)]
    assert (best(HOURS)[begin]["n"], best(HOURS)[begin]["cpu"]) == (30, 2.0)


def test_resolution_and_gaps() -> None:
    """The finest store that has the span answers; gaps interrupt the line; what is not rolled up yet is told too."""
    now = time.time()
    assert [span(now - back, now).level.step for back in (600, 7200, 7300, 86400, 7 * 86400)] == [
        10,
        10,
        300,
        300,
        3600,
    ]
    assert span(now - 5 * 3600, now - 4.9 * 3600).level is MINUTES
    assert span(now - 40 * 86400, now - 39.9 * 86400).level is HOURS
    begin, intake = RAW.floor(now) - 300, Intake()
    intake.take(1, batch(begin, [1.0, 3.0]))
    intake.take(1, batch(begin + 100, [5.0], first=3))
    assert [value for _, value in series(NODE, ["cpu"], span(now - 600, now))["cpu"]] == [1.0, 3.0, None, 5.0]
    day = series(NODE, ["cpu"], span(now - 86400, now))["cpu"]
    assert {value for _, value in day} <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert day
    assert statistics(NODE, ["cpu"], now - 600, now)["series"][0]["label"] == "CPU"
    with pytest.raises(InvalidError, match="ends before"):
        span(now, now - 5)


def test_bounds() -> None:
    """Of a long span the least and the greatest values are told as well."""
    begin, intake = MINUTES.floor(time.time()) - 3 * 3600, Intake()
    intake.take(1, batch(time.time() - 30, [0.0]))
    rollup.roll_up()
    intake.take(1, batch(begin, [1.0, 9.0], first=5))
    for value, wanted in (("mean", 5.0), ("min", 1.0), ("max", 9.0)):
        assert series(NODE, ["cpu"], span(begin, begin + 600), value)["cpu"] == [(begin, wanted)]  # type: ignore[arg-type]


def test_the_busiest() -> None:
    """The nodes with most of a figure lately come first."""
    intake, now = Intake(), RAW.floor(time.time())
    for node, cpu in ((1, 20.0), (2, 80.0), (3, 50.0)):
        intake.take(node, batch(now - 10, [cpu]))
    intake.take(4, batch(now - 600, [99.0]))
    assert busiest("cpu", 2) == [2, 3]


def test_the_future_and_too_many_names() -> None:
    """Samples of a clock that is far ahead are let go; a node cannot make up names without end."""
    intake = Intake()
    assert intake.take(1, batch(time.time() + 3600, [1.0])) == 1
    assert RAW.collection.count_documents({}) == 0
    for start in range(0, 240, 60):
        values = {f"name_{n}": 1.0 for n in range(start, start + 60)}
        message = Samples(
            spool="a", samples=[Sample(number=start + 2, at=10, figures=[Figures(kind="node", values=values)])]
        )
        if start < 180:
            intake.take(1, message)
        else:
            with pytest.raises(InvalidError, match="200 names"):
                intake.take(1, message)


def test_what_is_measured_is_explained() -> None:
    """Every figure that the SAL's cases measure has a label, and every figure that has one is in the manual."""
    told = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text()
    for path in (Path(__file__).parents[1] / "sal" / "cases").glob("*measures*.json"):
        for one in json.loads(path.read_text())["measured"]:
            assert CATALOGUE[one["kind"]].keys() >= one["gauges"].keys() | one["counters"].keys(), one
    for kind, figures in CATALOGUE.items():
        row = next(line for line in told.splitlines() if line.startswith(f"| `{kind}` |"))
        assert set(re.findall(r"`(\w+)`", row)) == {kind, *figures}
