"""Mounts: what is mounted where, mounting and unmounting, and what comes back at boot (fstab)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from sal import files
from sal.command import Command, apply, run
from sal.errors import DiskError

FSTAB: Final = Path("/etc/fstab")
_COLUMNS: Final = "TARGET,SOURCE,FSTYPE,OPTIONS"
#: Options that say how to mount and are not told of what is mounted.
_SILENT: Final = frozenset(("defaults", "noauto", "nofail", "_netdev", "auto", "loop"))
_PATH: Final = r"^/[^\x00\n]*$"


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class MountSpec:
    """What shall be mounted: ``source`` a device, or ``tmpfs``; ``target`` a folder; options as in mount(8)."""

    source: Annotated[str, Field(pattern=r"^(/[^\x00\n]*|(UUID|LABEL)=[^\x00\n]+|[a-z0-9]+)$")]
    target: Annotated[str, Field(pattern=_PATH)]
    kind: Annotated[str, Field(pattern=r"^[a-z0-9.]+$")]
    options: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_=:./-]+$")]] = field(default_factory=list)


@dataclass(frozen=True)
class Mount:
    """What is mounted: ``source`` is the device with the folder in it in brackets if that is not its root."""

    target: str
    source: str
    kind: str
    options: tuple[str, ...]


def read_mounts() -> list[Mount]:
    """Return what is mounted in this process's view, in the order of mounting: of one target the last counts."""
    return parse_mounts(run(["findmnt", "--json", "--list", "--output", _COLUMNS]))


def parse_mounts(text: str) -> list[Mount]:
    """Read what ``findmnt --json --list`` prints."""
    found: list[dict[str, Any]] = json.loads(text or "{}").get("filesystems", [])
    return [Mount(one["target"], one["source"] or "", one["fstype"], tuple(one["options"].split(","))) for one in found]


def mounted_at(target: str, found: list[Mount]) -> Mount | None:
    """Return what a folder shows of what is mounted, None if nothing is mounted right there."""
    return next((one for one in reversed(found) if one.target == target), None)


def mount_commands(spec: MountSpec, found: list[Mount]) -> list[Command]:
    """Return what is missing of a mount; options that it lacks are set without unmounting it.

    Raises `sal.errors.DiskError` if something else is mounted there.
    """
    there = mounted_at(spec.target, found)
    options = ("-o", ",".join(spec.options)) if spec.options else ()
    if there is None:
        return [Command(("mount", "-t", spec.kind, *options, "--", spec.source, spec.target))]
    named = spec.source.startswith(("UUID=", "LABEL="))
    if there.kind != spec.kind or (not named and there.source != spec.source):
        raise DiskError(
            f"mount {spec.target}: {there.source} ({there.kind}) is mounted there, not {spec.source} ({spec.kind}); "
            "unmount it first"
        )
    if set(spec.options) - _SILENT <= set(there.options):
        return []
    return [Command(("mount", "-o", ",".join(("remount", *spec.options)), "--", spec.target))]


def ensure_mount(spec: MountSpec) -> list[str]:
    """Mount as asked, in a folder that is made if it is not there; return what was changed."""
    plan = mount_commands(spec, read_mounts())
    Path(spec.target).mkdir(parents=True, exist_ok=True)
    return apply(plan)


def remove_mount(target: str) -> list[str]:
    """Unmount what is mounted at a folder, all that lies there above each other; return what was changed."""
    count = sum(one.target == target for one in read_mounts())
    return apply([Command(("umount", "--", target))] * count)


def ensure_fstab(spec: MountSpec, file: Path = FSTAB) -> list[str]:
    """Have it mounted at boot too; return what was changed. Other lines and comments stay as they are."""
    return [f"wrote {file}"] if files.edit(file, partial(with_entry, spec=spec)) else []


def remove_fstab(target: str, file: Path = FSTAB) -> list[str]:
    """Have nothing mounted at ``target`` at boot; return what was changed."""
    if not file.exists():
        return []
    return [f"wrote {file}"] if files.edit(file, partial(without_entry, target=target)) else []


def with_entry(text: str, spec: MountSpec) -> str:
    """Return fstab(5) with a mount, in the place of one at the same target."""
    options = ",".join(spec.options) or "defaults"
    line = f"{_escaped(spec.source)} {_escaped(spec.target)} {spec.kind} {options} 0 {_check(spec)}"
    lines = text.splitlines()
    places = [number for number, one in enumerate(lines) if _target(one) == spec.target]
    if places:
        lines = [line if number == places[0] else one for number, one in enumerate(lines) if number not in places[1:]]
    else:
        lines.append(line)
    return "".join(f"{one}\n" for one in lines)


def without_entry(text: str, target: str) -> str:
    """Return fstab(5) without mounts at a target."""
    return "".join(one for one in text.splitlines(keepends=True) if _target(one) != target)


def _target(line: str) -> str | None:
    words = line.split()
    if len(words) < 2 or words[0].startswith("#"):  # noqa: PLR2004 - a device and a folder
        return None
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), words[1])


def _escaped(path: str) -> str:
    return re.sub(r"[\s\\#]", lambda found: f"\\{ord(found[0]):03o}", path)


def _check(spec: MountSpec) -> int:
    """Return whether the file system is checked at boot: what lies on a device, after the root."""
    return 2 if spec.kind.startswith("ext") else 0
