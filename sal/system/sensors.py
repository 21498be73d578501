"""Sensors of the node, as the kernel shows them: temperatures, fans, voltages, currents, power, humidity."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Kind = Literal["temp", "fan", "in", "curr", "power", "humidity"]
#: Units of each kind, and how many of the kernel's steps make one (Documentation/hwmon/sysfs-interface).
UNITS: Final[dict[Kind, tuple[str, float]]] = {
    "temp": ("°C", 1e3),
    "fan": ("rpm", 1),
    "in": ("V", 1e3),
    "curr": ("A", 1e3),
    "power": ("W", 1e6),
    "humidity": ("%", 1e3),
}
LEAST_CELSIUS, MOST_CELSIUS = -50.0, 200.0
"""What a temperature can mean; a sensor that is not wired tells nonsense, and is left out."""


@dataclass(frozen=True)
class Sensor:
    """What one sensor says now, in ``unit``; its limits are None where the hardware names none.

    ``alarm`` is the hardware's own; None if it does not watch this sensor.
    """

    chip: str
    label: str
    kind: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    critical: float | None = None
    alarm: bool | None = None


def read_sensors(root: Path = Path("/")) -> list[Sensor]:
    """Return the sensors of the hardware monitors, and where there is no temperature among them, of thermal zones.

    Params: ``root`` the folder that stands for ``/``. A sensor that does not answer, as of a card that sleeps, is left
    out.
    """
    found = [one for chip in sorted(root.glob("sys/class/hwmon/hwmon*")) for one in _monitor(chip)]
    return found if any(one.kind == "temp" for one in found) else [*found, *_zones(root)]


def _monitor(chip: Path) -> Iterator[Sensor]:
    name = _text(chip / "name") or chip.name
    for file in sorted(chip.glob("*_input")):
        place = file.name.removesuffix("_input")
        kind = place.rstrip("0123456789")
        value = _number(file)
        if kind not in UNITS or value is None:
            continue
        unit, steps = UNITS[kind]
        limits = {key: _number(chip / f"{place}_{suffix}", steps) for key, suffix in _LIMITS.items()}
        alarm = _number(chip / f"{place}_alarm")
        one = Sensor(
            chip=name,
            label=_text(chip / f"{place}_label") or place,
            kind=kind,
            value=value / steps,
            unit=unit,
            alarm=None if alarm is None else bool(alarm),
            **limits,
        )
        if _possible(one):
            yield one


def _zones(root: Path) -> Iterator[Sensor]:
    for zone in sorted(root.glob("sys/class/thermal/thermal_zone*")):
        value = _number(zone / "temp", 1e3)
        if value is not None:
            one = Sensor(_text(zone / "type"), zone.name.removeprefix("thermal_zone"), "temp", value, "°C")
            if _possible(one):
                yield one


_LIMITS: Final = {"low": "min", "high": "max", "critical": "crit"}


def _possible(one: Sensor) -> bool:
    return one.kind != "temp" or LEAST_CELSIUS < one.value < MOST_CELSIUS


def _number(file: Path, steps: float = 1) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        return float(file.read_text(encoding="ascii")) / steps
    return None


def _text(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace").strip()
    return ""
