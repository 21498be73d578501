"""Packages of Debian and Ubuntu: what is installed, what could be newer, installing and removing."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.command import Command, apply, run
from sal.errors import SpecError

ROOT: Final = Path("/")
_FORMAT: Final = r"${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n"
#: deb-control(5), and which version if one is asked for. To apt, a "-" at the end means to remove the package.
_NAME: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]*[a-z0-9+.])(:[a-z0-9]+)?(=(?P<version>[A-Za-z0-9.+:~-]+))?")
_INST: Final = re.compile(r"Inst (\S+) \[([^]]+)\] \((\S+) ([^[]*?)(?: \[\S+\])?\)")
_LONG: Final = 1800.0
_QUIET: Final = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "-qq", "-y")
_WAIT: Final = ("-o", "DPkg::Lock::Timeout=120")


@dataclass(frozen=True)
class Package:
    """An installed package; one that was removed but has left its configuration is none."""

    name: str
    version: str
    architecture: str


@dataclass(frozen=True)
class Upgrade:
    """A package of which there is a newer version; ``security`` if it comes from a security archive."""

    name: str
    old: str
    new: str
    security: bool


def read_packages(root: Path = ROOT) -> dict[str, Package]:
    """Return the installed packages by name, of the system whose ``/`` is ``root``."""
    text = run(["dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "--show", f"--showformat={_FORMAT}"])
    return parse_packages(text)


def parse_packages(text: str) -> dict[str, Package]:
    """Read what ``dpkg-query --show`` prints in the format of `read_packages`."""
    rows = (line.split("\t") for line in text.splitlines())
    return {name: Package(name, version, kind) for name, version, kind, status in rows if status == "installed"}


def read_upgrades(root: Path = ROOT) -> list[Upgrade]:
    """Return which packages could be newer, by the lists that are here: `refresh_lists` fetches new ones."""
    return parse_upgrades(run(["env", "LC_ALL=C", "apt-get", *_place(root), "--simulate", "upgrade"], timeout=120))


def parse_upgrades(text: str) -> list[Upgrade]:
    """Read what ``apt-get --simulate upgrade`` prints."""
    return [
        Upgrade(name, old, new, "security" in archives.lower())
        for name, old, new, archives in (found.groups() for found in map(_INST.match, text.splitlines()) if found)
    ]


def package_commands(
    names: Sequence[str], found: dict[str, Package], wanted: bool = True, root: str = "/"
) -> list[Command]:
    """Return what is missing for packages to be there, or to be gone; ``nginx=1.22.1-9`` asks for a version.

    Configuration stays when a package goes. Raises `sal.errors.SpecError` for what is no package's name.
    """
    lacking = [name for name in names if _lacks(name, found)] if wanted else []
    surplus = [name for name in names if _parts(name)["name"] in found] if not wanted else []
    if not lacking and not surplus:
        return []
    options = (*_place(Path(root)), *_WAIT)
    if surplus:
        return [Command((*_QUIET, *options, "remove", "--", *surplus))]
    kept = ("-o", "DPkg::Options::=--force-confold", "--no-install-recommends", "--allow-downgrades")
    return [Command((*_QUIET, *options, *kept, "install", "--", *lacking))]


def ensure_packages(names: Sequence[str], root: Path = ROOT) -> list[str]:
    """Install what is missing of these packages; return what was changed. Another's lock is waited for two minutes.

    Raises `sal.errors.CommandError` with apt's complaint, such as for a package that no list names.
    """
    return apply(package_commands(names, read_packages(root), root=str(root)), timeout=_LONG)


def remove_packages(names: Sequence[str], root: Path = ROOT) -> list[str]:
    """Remove what is there of these packages; return what was changed."""
    return apply(package_commands(names, read_packages(root), wanted=False, root=str(root)), timeout=_LONG)


def refresh_lists(root: Path = ROOT, oldest: float = 3600) -> list[str]:
    """Fetch the lists of packages if they are older than ``oldest`` seconds; return what was changed."""
    stamp = root / "var/lib/apt/lists/partial"  # apt renews its time at each fetch
    if stamp.exists() and time.time() - stamp.stat().st_mtime < oldest:
        return []
    return apply([Command((*_QUIET, *_place(root), *_WAIT, "update"))], timeout=_LONG)


def _lacks(name: str, found: dict[str, Package]) -> bool:
    parts = _parts(name)
    there = found.get(str(parts["name"]))
    return there is None or parts["version"] not in {None, there.version}


def _parts(name: str) -> dict[str, str | None]:
    found = _NAME.fullmatch(name)
    if not found:
        raise SpecError(f"package {name!r}: not a package's name, as nginx or nginx=1.22.1-9")
    return found.groupdict()


def _place(root: Path) -> tuple[str, ...]:
    """Return what makes apt work on the system in a folder; dpkg then runs packages' scripts within it (chroot)."""
    if root == ROOT:
        return ()
    status = root / "var/lib/dpkg/status"
    return (
        "-o", f"Dir={root}", "-o", f"Dir::State::status={status}", "-o", f"DPkg::Options::=--root={root}",
    )  # fmt: skip
