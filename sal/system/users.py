"""Users of the node: who there is, making, changing and removing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from sal import files
from sal.command import Command, apply
from sal.errors import AccountMissingError
from sal.system.groups import ROOT, Id, Name, parse_groups, place, read_groups

#: The day of 1970 after which a disabled account has expired, in shadow(5).
_EXPIRED: Final = "1"


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class UserSpec:
    """What a user shall be; what is None stays as it is, and is useradd's choice for a new one.

    ``group`` is the first one, ``groups`` exactly the others. A ``disabled`` user cannot sign in by any means, and a
    new one has no password; ``system`` counts for new ones only.
    """

    name: Name
    uid: Id | None = None
    group: Name | None = None
    groups: list[Name] | None = None
    home: Annotated[str, Field(pattern=r"^/[^:\x00\n]*$")] | None = None
    shell: Annotated[str, Field(pattern=r"^/[^:\x00\n]*$")] | None = None
    comment: Annotated[str, Field(pattern=r"^[^:\x00\n]*$")] | None = None
    disabled: bool = False
    system: bool = False


@dataclass(frozen=True)
class User:
    """A user as it is; ``groups`` without the first one, ``has_password`` if one was ever set and is not locked."""

    name: str
    uid: int
    group: str
    groups: tuple[str, ...]
    home: str
    shell: str
    comment: str = ""
    disabled: bool = False
    has_password: bool = False


def read_users(root: Path = ROOT) -> dict[str, User]:
    """Return the users by name, of the system whose ``/`` is ``root``. Only root may read of passwords."""
    texts = (files.read(root / "etc" / name) for name in ("passwd", "shadow", "group"))
    return parse_users(*texts)


def parse_users(passwd: str, shadow: str, group: str) -> dict[str, User]:
    """Read passwd(5), shadow(5) and group(5)."""
    groups = parse_groups(group)
    first = {one.gid: one.name for one in groups.values()}
    secrets = {row[0]: row for line in shadow.splitlines() if len(row := line.split(":")) > 7}  # noqa: PLR2004 - expiry
    found = {}
    for line in passwd.splitlines():
        row = line.split(":")
        if len(row) < 7 or not row[2].isdigit():  # noqa: PLR2004 - a line of an old directory service
            continue
        secret = secrets.get(row[0], ["", "", *[""] * 6])
        found[row[0]] = User(
            name=row[0],
            uid=int(row[2]),
            group=first.get(int(row[3]), row[3]),
            groups=tuple(
                sorted(one.name for one in groups.values() if row[0] in one.members and one.gid != int(row[3]))
            ),
            home=row[5],
            shell=row[6],
            comment=row[4],
            disabled=secret[7] == _EXPIRED,
            has_password=secret[1][:1] not in {"", "!", "*"},
        )
    return found


def user_commands(spec: UserSpec, found: User | None, root: str = "/") -> list[Command]:
    """Return what is missing of a user."""
    wanted = {
        "--uid": None if spec.uid is None else str(spec.uid),
        "--gid": spec.group,
        "--groups": None if spec.groups is None else ",".join(sorted({*spec.groups} - {spec.group})),
        "--home-dir" if found is None else "--home": spec.home,
        "--shell": spec.shell,
        "--comment": spec.comment,
        "--expiredate": _EXPIRED if spec.disabled else "",
    }
    present = _present(found) if found else {"--expiredate": "", "--groups": ""}
    options = [word for key, one in wanted.items() if one not in {None, present.get(key)} for word in (key, str(one))]
    within = place(root)
    if found is not None:
        return [Command(("usermod", *within, *options, spec.name))] if options else []
    kind = ("--system",) if spec.system else ("--create-home",)
    return [Command(("useradd", *within, *kind, *options, spec.name))]


def ensure_user(spec: UserSpec, root: Path = ROOT) -> list[str]:
    """Make a user as asked; return what was changed. A home that changes is not moved.

    Raises `sal.errors.AccountMissingError` if one of the groups is missing.
    """
    groups = read_groups(root)
    for name in filter(None, (spec.group, *(spec.groups or ()))):
        if name not in groups:
            raise AccountMissingError(f"user {spec.name}: there is no group {name}; make it first")
    return apply(user_commands(spec, read_users(root).get(spec.name), str(root)))


def remove_user(name: str, root: Path = ROOT, *, with_home: bool = False) -> list[str]:
    """Remove a user; return what was changed. The home stays unless ``with_home``."""
    if name not in read_users(root):
        return []
    home = ("--remove",) if with_home else ()
    return apply([Command(("userdel", *place(str(root)), *home, "--", name))])


def _present(found: User) -> Mapping[str, str]:
    return {
        "--uid": str(found.uid),
        "--gid": found.group,
        "--groups": ",".join(found.groups),
        "--home": found.home,
        "--shell": found.shell,
        "--comment": found.comment,
        "--expiredate": _EXPIRED if found.disabled else "",
    }
