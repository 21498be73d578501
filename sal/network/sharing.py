"""Sharing a link: what each network behind it is sure of, and what it may take at most, by the kernel's HTB (tc).

Classes and filters are replaced as a whole. The discipline's handle is a digest of them and tells later which shares
are in force, so that the same are not set again: what waits in their queues would be lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import field
from ipaddress import IPv4Network
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from sal.command import Command, apply, run
from sal.errors import CommandError, LinkMissingError, SpecError
from sal.network.links import read_links

_STRICT: Final = ConfigDict(extra="forbid")
_Rate = Annotated[int, Field(ge=8_000)]
_KIND: Final = "htb"
#: Number of the class for what belongs to no share, and how many shares fit beside it.
_REST: Final = 0xFFFF
_MOST: Final = 0xFF00


@dataclass(frozen=True, config=_STRICT)
class Share:
    """What goes to ``network``: ``rate`` is sure, ``ceiling`` the most, both in bits a second; None is all there is."""

    network: IPv4Network
    rate: _Rate
    ceiling: _Rate | None = None


@dataclass(frozen=True, config=_STRICT)
class SharingSpec:
    """How a link that carries ``total`` bits a second is shared; ``rest`` is sure for what belongs to no share."""

    total: _Rate
    shares: Annotated[list[Share], Field(max_length=_MOST)] = field(default_factory=list)
    rest: _Rate = 8_000

    def __post_init__(self) -> None:
        """Refuse to promise more than there is."""
        promised = sum(one.rate for one in self.shares) + self.rest
        if promised > self.total:
            raise SpecError(f"shares: {promised} bit/s are promised of {self.total}; lower them or raise the total")


def read_sharing(link: str, namespace: str | None = None) -> str | None:
    """Return the handle of the sharing that is in force on a link, None if it is not shared.

    Raises `sal.errors.LinkMissingError`.
    """
    if link not in read_links(namespace):
        raise LinkMissingError(f"link {link}: not {f'in namespace {namespace}' if namespace else 'on this node'}")
    return parse_sharing(run([*_tc(namespace), "-json", "qdisc", "show", "dev", link, "root"]))


def parse_sharing(text: str) -> str | None:
    """Read what ``tc -json qdisc show dev LINK root`` prints."""
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return next((one["handle"] for one in found if one.get("root") and one["kind"] == _KIND), None)


def sharing_commands(link: str, spec: SharingSpec, found: str | None, namespace: str | None = None) -> list[Command]:
    """Return what is missing of a sharing."""
    handle = _handle(spec)
    if found == handle:
        return []
    lines = "".join(f"{line}\n" for line in _lines(f"dev {link}", handle, spec))
    return [Command((*_tc(namespace), "-batch", "-"), lines)]


def ensure_sharing(link: str, spec: SharingSpec, namespace: str | None = None) -> list[str]:
    """Share a link; return what was changed. If the kernel refuses a part of it, the link is left without sharing.

    Raises `sal.errors.LinkMissingError`, or `sal.errors.CommandError` with what the kernel refused.
    """
    plan = sharing_commands(link, spec, read_sharing(link, namespace), namespace)
    try:
        return apply(plan)
    except CommandError:
        remove_sharing(link, namespace)
        raise


def remove_sharing(link: str, namespace: str | None = None) -> list[str]:
    """Share a link no longer; return what was changed."""
    there = read_sharing(link, namespace) is not None
    return apply([Command((*_tc(namespace), "qdisc", "del", "dev", link, "root"))] if there else [])


def _lines(device: str, handle: str, spec: SharingSpec) -> Iterator[str]:
    top = f"{handle}{_MOST + 1:x}"
    yield f"qdisc replace {device} root pfifo_fast"  # first: of a discipline of the same kind the classes would stay
    yield f"qdisc replace {device} root handle {handle} {_KIND} default {_REST:x}"
    yield f"class add {device} parent {handle} classid {top} {_KIND} rate {spec.total}bit"
    shares = [(number, one.rate, one.ceiling or spec.total) for number, one in enumerate(spec.shares, 1)]
    for number, rate, ceiling in [*shares, (_REST, spec.rest, spec.total)]:
        rates = f"rate {rate}bit ceil {ceiling}bit"
        yield f"class add {device} parent {top} classid {handle}{number:x} {_KIND} {rates}"
    for number, one in enumerate(spec.shares, 1):
        match = f"u32 match ip dst {one.network}"
        yield f"filter add {device} parent {handle} protocol ip prio 1 {match} flowid {handle}{number:x}"


def _handle(spec: SharingSpec) -> str:
    """Return a major number that belongs to a sharing; 0 and ffff have meanings of their own."""
    digest = hashlib.sha256("\n".join(_lines("", "", spec)).encode()).digest()
    return f"{int.from_bytes(digest[:4]) % 0xFFFD + 1:x}:"


def _tc(namespace: str | None) -> list[str]:
    return ["tc", "-netns", namespace] if namespace else ["tc"]
