"""The lines of all jobs: each is found once, whatever is asked and however short the time is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.protocol import Line
from portalfw.controller import logbook, output
from portalfw.controller.documents import Job, JobOutput
from portalfw.controller.logbook import Wanted

pytestmark = pytest.mark.usefixtures("database")
BEGIN = 1_795_000_000.0
LEVELS = ["info", "stdout", "stderr", "error", "debug"]


def said(job: int, number: int) -> Line:
    """Return a line that one of several jobs says in turn with the others."""
    return Line(at=BEGIN + number + job / 10, level=LEVELS[number % 5], text=f"Job {job} says {number}")


@pytest.fixture
def spoken() -> int:
    """Have four jobs of two scripts on two nodes say 60 lines each, six at a time; return how many."""
    jobs = [{"_id": n, "script": f"lab/{'ab'[n % 2]}", "node_id": 1 + n // 2, "sha256": ""} for n in range(4)]
    Job.collection().insert_many(jobs)
    for begin in range(0, 60, 6):
        for job in range(4):
            output.store(job, 1, begin, [said(job, number) for number in range(begin, begin + 6)])
    return 240


def leafed(wanted: Wanted, most: int) -> Iterator[str]:
    """Yield all lines from the newest to the oldest, by answers of ``most``."""
    place = None
    while True:
        found = logbook.newest(wanted, place, most)
        assert [line["at"] for line in found.lines] == sorted((line["at"] for line in found.lines), reverse=True)
        yield from (line["text"] for line in found.lines)
        if found.older is None:
            return
        assert place is None or found.older < place
        place = found.older


@pytest.mark.parametrize("patience", [logbook.PATIENCE, 0.0])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), lambda _job, _number: True),
        (Wanted(level=2), lambda _job, number: number % 5 in {2, 3}),
        (Wanted(level=3, node_id=2), lambda job, number: job >= 2 and number % 5 == 3),
        (Wanted(script="lab/b"), lambda job, _number: job % 2 == 1),
        (Wanted(node_id=1, script="lab/a", words="SAYS 4"), lambda job, number: job == 0 and str(number)[0] == "4"),
        (Wanted(job=3, words="."), lambda _job, _number: False),
        (Wanted(begin=BEGIN + 20, end=BEGIN + 30), lambda job, number: 20 <= number + job / 10 <= 30),
    ],
)
def test_every_line_that_is_wanted_is_found_once(
    spoken: int, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, expected: object, patience: float
) -> None:
    """By pages of any size, and also where each answer may look at one document only."""
    monkeypatch.setattr(logbook, "PATIENCE", patience)
    lines = {f"Job {job} says {number}" for job in range(4) for number in range(60) if expected(job, number)}  # type: ignore[operator]
    assert spoken == 240
    for most in (7, 1000):
        found = list(leafed(wanted, most))
        assert len(found) == len(set(found))
        assert set(found) == lines


def test_lines_far_apart_in_time_lie_apart() -> None:
    """What an agent tells after a long time away is kept by when it was said."""
    output.store(1, 1, 0, [Line(at=BEGIN + 60 * number, level="info", text="late") for number in range(3)])
    assert [row["at"] - BEGIN for row in JobOutput.rows(sort="at")] == [0, 60, 120]
    assert output.count(1, 1) == 3
