"""Groups of users: which there are, making, changing and removing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from sal import files
from sal.command import Command, apply

ROOT: Final = Path("/")
#: What useradd(8) takes, and every other tool too.
Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,30}$")]
Id = Annotated[int, Field(ge=1, lt=1 << 32)]


@dataclass(frozen=True)
class Group:
    """A group and its members; those whose first group it is are not among them."""

    name: str
    gid: int
    members: tuple[str, ...]


def read_groups(root: Path = ROOT) -> dict[str, Group]:
    """Return the groups by name, of the system whose ``/`` is ``root``."""
    return parse_groups(files.read(root / "etc/group"))


def parse_groups(text: str) -> dict[str, Group]:
    """Read group(5)."""
    rows = (line.split(":") for line in text.splitlines() if line.count(":") >= 3)  # noqa: PLR2004 - its columns
    return {row[0]: Group(row[0], int(row[2]), tuple(filter(None, row[3].split(",")))) for row in rows}


def group_commands(name: Name, gid: int | None, found: Group | None, root: str = "/") -> list[Command]:
    """Return what is missing of a group."""
    if found is not None and gid in {None, found.gid}:
        return []
    number = () if gid is None else ("--gid", str(gid))
    tool = "groupadd" if found is None else "groupmod"
    return [Command((tool, *place(root), *number, "--", name))]


def ensure_group(name: Name, gid: int | None = None, root: Path = ROOT) -> list[str]:
    """Make a group; return what was changed."""
    return apply(group_commands(name, gid, read_groups(root).get(name), str(root)))


def remove_group(name: Name, root: Path = ROOT) -> list[str]:
    """Remove a group; return what was changed. Raises `sal.errors.CommandError` if it is somebody's first one."""
    return apply([Command(("groupdel", *place(str(root)), "--", name))] if name in read_groups(root) else [])


def place(root: str) -> tuple[str, ...]:
    """Return what makes useradd(8) and its like work on the system in a folder."""
    return () if root == "/" else ("--prefix", root)
