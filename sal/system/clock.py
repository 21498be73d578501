"""The node's clock: its time zone, whether it is kept in time, and by whom."""

from __future__ import annotations

import ctypes
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal import files
from sal.errors import SpecError

ROOT: Final = Path("/")
_ZONES: Final = "usr/share/zoneinfo"
_TIMESYNCD: Final = "etc/systemd/timesyncd.conf.d/sal.conf"
_SERVER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
#: State of adjtimex(2) when nothing keeps the clock in time.
_UNSYNCHRONIZED: Final = 5
#: How struct timex begins on 64-bit machines: modes, offset, frequency, greatest and estimated error, status.
_TIMEX: Final = struct.Struct("@IqqqqI")


@dataclass(frozen=True)
class Clock:
    """A time zone's name, empty for UTC without a name; whether something keeps the clock in time.

    ``error`` is how wrong it may be at most, in seconds, by the kernel's own estimate; None where nobody keeps it.
    """

    zone: str
    synchronized: bool
    error: float | None
    servers: tuple[str, ...]


def read_clock(root: Path = ROOT) -> Clock:
    """Return the facts of the clock; zone and servers are of the system whose ``/`` is ``root``."""
    state, error = _kernel_clock()
    synchronized = state != _UNSYNCHRONIZED
    return Clock(zone(root), synchronized, error / 1e6 if synchronized else None, parse_servers(_configured(root)))


def zone(root: Path = ROOT) -> str:
    """Return the name of the time zone, empty if the link to it does not tell."""
    link = root / "etc/localtime"
    target = str(link.readlink()) if link.is_symlink() else ""
    return target.partition("zoneinfo/")[2]


def ensure_zone(name: str, root: Path = ROOT) -> list[str]:
    """Set the time zone; return what was changed. Processes that run keep theirs. Raises `sal.errors.SpecError`."""
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name) or not (root / _ZONES / name).is_file():
        raise SpecError(f"time zone {name!r}: not in /{_ZONES}; names are as Europe/Amsterdam")
    done = []
    if zone(root) != name:
        part = root / "etc/.localtime.part"
        part.unlink(missing_ok=True)
        part.symlink_to(f"/{_ZONES}/{name}")
        part.replace(root / "etc/localtime")
        done.append(f"linked {root / 'etc/localtime'}")
    text = root / "etc/timezone"  # Debian keeps it there too
    if text.exists() and files.write(text, f"{name}\n"):
        done.append(f"wrote {text}")
    return done


def ensure_time_servers(servers: Sequence[str], root: Path = ROOT) -> list[str]:
    """Name the servers that systemd-timesyncd asks; return what was changed.

    It asks them after a restart: see `sal.system.services.restart`. Raises `sal.errors.SpecError`.
    """
    for one in servers:
        if not _SERVER.fullmatch(one):
            raise SpecError(f"time server {one!r}: neither a name nor an address")
    file = root / _TIMESYNCD
    file.parent.mkdir(parents=True, exist_ok=True)
    return [f"wrote {file}"] if files.write(file, f"[Time]\nNTP={' '.join(servers)}\n") else []


def parse_servers(text: str) -> tuple[str, ...]:
    """Read which servers timesyncd.conf(5) names: later lines add, an empty one forgets those before."""
    found: list[str] = []
    for line in text.splitlines():
        key, mark, value = line.partition("=")
        if mark and key.strip() == "NTP":
            found = [*found, *value.split()] if value.strip() else []
    return tuple(found)


def _configured(root: Path) -> str:
    parts = [root / "etc/systemd/timesyncd.conf", *sorted((root / _TIMESYNCD).parent.glob("*.conf"))]
    return "\n".join(files.read(part) for part in parts)


def _kernel_clock() -> tuple[int, int]:
    """Ask the kernel, changing nothing: adjtimex(2) with no mode set. Return its state and the error in µs."""
    buffer = ctypes.create_string_buffer(256)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    if state < 0:
        raise OSError(ctypes.get_errno(), "adjtimex: the kernel does not tell about its clock")
    return state, int(_TIMEX.unpack_from(buffer)[3])
