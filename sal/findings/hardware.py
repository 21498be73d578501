"""Software RAID, temperatures, fans and power supplies."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.command import run
from sal.errors import CommandError, CommandTimeoutError, MissingToolError
from sal.findings.finding import Finding, State, graded, skipped
from sal.system.sensors import read_sensors

DISK_CELSIUS: Final = (60.0, 70.0)
DISK_CHIPS: Final = frozenset({"drivetemp", "nvme"})
ARRAY: Final = re.compile(r"^(md\S+) : (\w+)(?: \([\w-]+\))*(?: (\w+))?")
MEMBERS: Final = re.compile(r"\[(\d+)/(\d+)\] \[[U_]+\]")
WORK: Final = re.compile(r"(recovery|resync|reshape|check)\s*=\s*([\d.]+%)")


@dataclass(frozen=True)
class Array:
    """A software RAID: how many members it wants and has, which failed, and what it is at."""

    name: str
    active: bool
    wanted: int
    there: int
    failed: tuple[str, ...] = ()
    work: str = ""


@dataclass(frozen=True)
class Temperature:
    """What a sensor measures, and its own limits if it tells them, in degrees Celsius."""

    name: str
    celsius: float
    high: float | None = None
    critical: float | None = None
    disk: bool = False


@dataclass(frozen=True)
class Part:
    """A fan or power supply: what it says, and whether that is well (None: it is not there)."""

    kind: str
    name: str
    reading: str
    well: bool | None


def arrays(text: str) -> list[Array]:
    """Read ``/proc/mdstat``."""
    found: list[Array] = []
    blocks = re.split(r"\n(?=md)", f"\n{text}")
    for block in blocks:
        head = ARRAY.match(block)
        if head is None:
            continue
        members, work = MEMBERS.search(block), WORK.search(block)
        wanted, there = (int(members[1]), int(members[2])) if members else (0, 0)
        failed = tuple(re.findall(r"(\S+)\[\d+\]\(F\)", block))
        found.append(Array(head[1], head[2] == "active", wanted, there, failed, f"{work[1]} {work[2]}" if work else ""))
    return found


def judge_arrays(found: Sequence[Array]) -> list[Finding]:
    """Judge arrays: an ERROR if one does not run or lacks a member that is not being rebuilt, else rebuilding WARNS."""
    return [_judge_array(one) for one in found] or skipped("Hardware", "raid", "There is no software RAID")


def _judge_array(one: Array) -> Finding:
    short = one.there < one.wanted
    repairing = one.work.startswith(("recovery", "resync", "reshape"))
    state: State = "OK"
    if not one.active or (short and not repairing):
        state = "ERROR"
    elif short or repairing or one.failed:
        state = "WARNING"
    words = [f"{one.there} of {one.wanted} members" if one.wanted else "no redundancy"]
    words += ["it does not run"] if not one.active else []
    words += [f"failed: {', '.join(one.failed)}"] if one.failed else []
    words += [one.work] if one.work else []
    return Finding("Hardware", f"raid-{one.name}", state, f"{one.name}: {'; '.join(words)}")


def temperatures(root: Path = Path("/")) -> list[Temperature]:
    """Read the sensors of temperatures."""
    return [
        Temperature(f"{one.chip} {one.label}", one.value, one.high, one.critical, one.chip in DISK_CHIPS)
        for one in read_sensors(root)
        if one.kind == "temp"
    ]


def judge_temperatures(found: Sequence[Temperature]) -> list[Finding]:
    """Judge processors and boards by their sensors' own limits, disks by 60 and 70 degrees."""
    return [_judge_temperature(one) for one in found] or skipped(
        "Temperature", "none", "This node has no temperature sensor"
    )


def _judge_temperature(one: Temperature) -> Finding:
    high, critical = DISK_CELSIUS if one.disk else (one.high or None, one.critical or None)
    text = f"{one.name}: {one.celsius:.0f} °C"
    if high is None and critical is None:
        return Finding("Temperature", one.name, "SKIPPED", f"{text}; the sensor tells no limit")
    most = critical if critical is not None else float("inf")
    state = graded(one.celsius, most if high is None else min(high, most), most)
    limits = ", ".join(f"{limit:.0f}" for limit in (high, critical) if limit is not None)
    return Finding("Temperature", one.name, state, f"{text} (limits: {limits})")


def fans(root: Path = Path("/")) -> list[Part]:
    """Read the fans that hardware monitors know of."""
    return [
        Part(
            "Fan",
            f"{one.chip} {one.label}",
            f"{one.value:.0f} turns a minute",
            not one.alarm and one.value >= (one.low or 0),
        )
        for one in read_sensors(root)
        if one.kind == "fan"
    ]


def managed_parts() -> list[Part]:
    """Ask the board's management controller (IPMI) for fans and power supplies; none if there is no such controller."""
    found: list[Part] = []
    for kind in ("Fan", "Power Supply"):
        with contextlib.suppress(CommandError, CommandTimeoutError, MissingToolError):
            found += read_ipmi(kind, run(["ipmitool", "-c", "sdr", "type", kind], timeout=20))
    return found


def read_ipmi(kind: str, text: str) -> list[Part]:
    """Read what ``ipmitool -c sdr type`` prints: name, number, status, entity, reading."""
    found = []
    for row in csv.reader(text.splitlines()):
        if len(row) > 2:  # noqa: PLR2004 - name, number and status at least
            name, status, reading = row[0], row[2], row[-1] or row[2]
            lost = any(word in reading.lower() for word in ("failure", "lost", "fault"))
            found.append(Part(kind, name, reading, None if status == "ns" else status == "ok" and not lost))
    return found


def judge_parts(found: Iterable[Part]) -> list[Finding]:
    """Judge fans and power supplies: one that does not work is a WARNING, as there usually is another one.

    The originals gave no uid to those that work, and lost all changes of the check by that.
    """
    parts = list(found)
    told = [_judge_part(one) for one in parts]
    for kind in ("Fan", "Power Supply"):
        if not any(one.kind == kind for one in parts):
            told += skipped("Hardware", kind.lower(), f"No sensor tells of a {kind.lower()} here")
    return told


def _judge_part(one: Part) -> Finding:
    state: State = "SKIPPED" if one.well is None else "OK" if one.well else "WARNING"
    text = f"{one.kind} {one.name}: {one.reading if one.well is not None else 'not there'}"
    return Finding("Hardware", f"{one.kind} {one.name}", state, text)
