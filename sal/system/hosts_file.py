"""Names in the hosts file: who is called what without asking DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from sal import files
from sal.errors import SpecError

HOSTS: Final = Path("/etc/hosts")
_NAME: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_-]{1,63})*")


@dataclass(frozen=True)
class Host:
    """A line of the file: an address and its names, the first of them its own."""

    address: str
    names: tuple[str, ...]


def read_hosts(file: Path = HOSTS) -> list[Host]:
    """Return the file's lines that name somebody."""
    return parse_hosts(files.read(file))


def parse_hosts(text: str) -> list[Host]:
    """Read hosts(5); what is no address with a name is left out."""
    return [host for line in text.splitlines() if (host := _host(line))]


def ensure_host(address: str, names: Sequence[str], file: Path = HOSTS) -> list[str]:
    """Have these names mean this address and no other of its kind (IPv4 or IPv6); return what was changed.

    Other names, lines and comments stay. Raises `sal.errors.SpecError` for what is no address or no name.
    """
    try:
        wanted = ip_address(address)
    except ValueError as error:
        raise SpecError(f"hosts file: {error}") from error
    for name in names:
        if not _NAME.fullmatch(name):
            raise SpecError(f"hosts file: {name!r} is no host name")
    return [f"wrote {file}"] if files.edit(file, partial(with_host, address=wanted, names=names)) else []


def remove_host(name: str, file: Path = HOSTS) -> list[str]:
    """Have a name mean nothing here; return what was changed."""
    if not file.exists():
        return []
    return [f"wrote {file}"] if files.edit(file, partial(without_names, names=[name])) else []


def with_host(text: str, address: IPv4Address | IPv6Address, names: Sequence[str]) -> str:
    """Return the file with these names at an address, in its first line if it has one."""
    present = [host for host in parse_hosts(text) if ip_address(host.address).version == address.version]
    elsewhere = {name for host in present if host.address != str(address) for name in host.names}
    text = without_names(text, [name for name in names if name in elsewhere], version=address.version)
    there = {name for host in parse_hosts(text) if host.address == str(address) for name in host.names}
    lacking = [name for name in names if name not in there]
    if not lacking:
        return text
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if (host := _host(line)) and host.address == str(address):
            lines[number] = _written(line, (*host.names, *lacking))
            break
    else:
        lines.append(f"{address}\t{' '.join(lacking)}")
    return "".join(f"{line}\n" for line in lines)


def without_names(text: str, names: Sequence[str], version: int | None = None) -> str:
    """Return the file without some names, at addresses of one IP version or of both; a line without names goes."""
    return "".join(_without(line, set(names), version) for line in text.splitlines(keepends=True))


def _without(line: str, names: set[str], version: int | None) -> str:
    host = _host(line)
    if not host or not names & set(host.names) or version not in {None, ip_address(host.address).version}:
        return line
    left = tuple(name for name in host.names if name not in names)
    return f"{_written(line, left)}\n" if left else ""


def _written(line: str, names: Sequence[str]) -> str:
    """Return a line with other names; its address, blanks and comment stay."""
    text, mark, comment = line.rstrip("\n").partition("#")
    address, blanks = next(_words(text))
    return f"{address}{blanks}{' '.join(names)}" + (f" {mark}{comment}" if mark else "")


def _words(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"(\S+)(\s*)", text):
        yield found[1], found[2]


def _host(line: str) -> Host | None:
    words = line.partition("#")[0].split()
    try:
        return Host(str(ip_address(words[0])), tuple(words[1:])) if len(words) > 1 else None
    except ValueError:
        return None
