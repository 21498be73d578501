"""What the Datacenter Abstraction Layer answers: plain frozen values. Times are epoch seconds, spans seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from agent.protocol import JobState
from portalfw.dal.failures import JobFailedError

T = TypeVar("T")


@dataclass(frozen=True)
class JobResult:
    """How a job stands, and once it is OK what its script returned.

    ``node_id`` is None of a fan-out, and while a job that any node may do has none.
    """

    id: int
    script: str
    node_id: int | None
    node: str
    state: JobState
    reason: str
    result: Any
    seconds: float | None

    @property
    def ok(self) -> bool:
        """True if it ended well."""
        return self.state == JobState.OK

    def value(self) -> Any:
        """Return what the script returned; raises JobFailedError if it did not end as OK."""
        if not self.ok:
            raise JobFailedError(self.id, self.script, self.state, self.reason)
        return self.result


@dataclass(frozen=True)
class Summary:
    """How a fan-out stands: how many nodes it is for, and its children by state."""

    total: int
    counts: Mapping[JobState, int]

    @property
    def ended(self) -> int:
        """How many children have ended."""
        return sum(count for state, count in self.counts.items() if state.ended)


@dataclass(frozen=True)
class Line:
    """A line of output. Levels: debug info warning error, stdout and stderr for what was printed."""

    attempt: int
    at: float
    level: str
    text: str


@dataclass(frozen=True)
class NodeInfo:
    """One node; ``memory`` in MiB. ``state`` is its status, or AWAY or LOST while its agent is silent."""

    id: int
    gid: int
    name: str
    status: str
    state: str
    connected: bool
    reason: str
    roles: tuple[str, ...]
    address: str
    hypervisor: str
    simulated: bool
    cpus: int | None
    memory: int | None
    last_seen: float | None


@dataclass(frozen=True)
class ScheduleInfo:
    """What runs again and again; ``when`` is seconds or a cron expression, ``due`` the next time."""

    id: int
    name: str
    script: str
    when: str
    at_boot: bool
    roles: tuple[str, ...]
    gid: int | None
    on: str
    overlap: str
    jitter: float
    batch: int
    enabled: bool
    origin: str
    due: float | None
    args: Mapping[str, Any]
    timeout: float | None
    grace: float


@dataclass(frozen=True)
class Occurrence:
    """What became of one time of a schedule: RUN with its job, QUEUED, SKIPPED, FAILED, or MISSED ``count`` times."""

    id: int
    schedule: int
    status: str
    reason: str
    due: float
    count: int
    job: int | None


@dataclass(frozen=True)
class Point:
    """A figure at one time; no value where a gap begins."""

    at: float
    value: float | None


@dataclass(frozen=True)
class Series:
    """One figure over time, in steps of so many seconds; units are %, B, B/s, /s, °C or none."""

    figure: str
    label: str
    unit: str
    step: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Thing:
    """Something of a node of which there are figures: its kind, and its key there (empty for the node itself)."""

    kind: str
    key: str


def shaped(kind: type[T], row: Mapping[str, Any]) -> T:
    """Return a row of an answer as one of these values; what it has besides is left out, lists become tuples."""
    values = {field.name: row[field.name] for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def job_result(row: Mapping[str, Any], script: str = "") -> JobResult:
    """Return a job's row, or that of a fan-out's child whose ``script`` it does not name."""
    return JobResult(
        id=row["id"],
        script=row.get("script") or script,
        node_id=row.get("node_id"),
        node=row.get("node") or "",
        state=JobState(row["status"]),
        reason=row.get("reason") or "",
        result=row.get("result"),
        seconds=row.get("seconds"),
    )
