"""What machines take of their nodes over time: the figures of their guests, in the words of the cloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypedDict

from actors.cloud.names import Names
from portalfw.controller.documents import site_prefix
from portalfw.errors import InvalidError
from portalfw.statistics.series import Points, Span, Thing, keys, series, span

KIB, MIB = 2.0**10, 2.0**20
_TRAFFIC: Final = {"in": ("rx_bytes", KIB), "out": ("tx_bytes", KIB)}
_OPERATIONS: Final = {"reads": ("reads", 1.0), "writes": ("writes", 1.0)}
_BANDWIDTH: Final = {"read": ("read_bytes", KIB), "written": ("write_bytes", KIB)}

INCLUDE: Final[dict[str, tuple[str, dict[str, tuple[str, float]]]]] = {
    "cpu": ("guest", {"cpu": ("cpu", 1.0)}),
    "steal": ("guest", {"stolen": ("steal", 1.0)}),
    "memory": ("guest", {"memory": ("memory", MIB), "used inside": ("memory_used", MIB)}),
    "network": ("guest_nic", _TRAFFIC),
    "vm-iops": ("guest", _OPERATIONS),
    "vm-bandwidth": ("guest", _BANDWIDTH),
    "vdisk-iops": ("guest_disk", _OPERATIONS),
    "vdisk-bandwidth": ("guest_disk", _BANDWIDTH),
}
"""What can be asked for: whose figures they are, and each series with its figure and the figure's unit in ours."""


class MachineStatistics(TypedDict):
    """Series over the same times: CPU and steal in percent, memory in MiB, traffic in KiB/s, operations a second."""

    time: list[float]  # epoch seconds
    series: dict[str, list[float | None]]  # None where nothing was measured


def machine_statistics(
    machine_id: int, include: Sequence[str], begin: float | None, end: float | None
) -> MachineStatistics:
    """Return what a machine took between two times, the last hour if none are given.

    Series of several disks or network ports are named by them, such as ``vda reads`` and ``port 0 in``.

    :raises InvalidError: if something is asked for that is not measured, or the span ends before it begins.
    """
    name, over = Names(site_prefix()).machine(machine_id), span(begin, end)
    found: dict[str, Points] = {}
    for wanted in include:
        found |= _included(name, wanted, over)
    known = {label: dict(points) for label, points in found.items() if any(value is not None for _, value in points)}
    times = sorted({at for points in known.values() for at in points})
    return {"time": times, "series": {label: [points.get(at) for at in times] for label, points in known.items()}}


def _included(name: str, wanted: str, over: Span) -> Iterator[tuple[str, Points]]:
    if wanted not in INCLUDE:
        raise InvalidError(
            f"There are no statistics of {wanted[:40]!r}; there are {', '.join(INCLUDE)}.",
            detail={"argument": "include"},
        )
    kind, wishes = INCLUDE[wanted]
    parts = [name] if kind == "guest" else keys(kind, f"{name}/", over)
    for part in parts:
        rows = series(Thing(kind, part), [figure for figure, _ in wishes.values()], over)
        where = _words(kind, part) if len(parts) > 1 else ""
        for label, (figure, unit) in wishes.items():
            yield f"{where}{label}", [(at, None if value is None else value / unit) for at, value in rows[figure]]


def _words(kind: str, part: str) -> str:
    place = part.rpartition("/")[2]
    return f"port {place} " if kind == "guest_nic" else f"{place} "
