"""Traffic shaping: how fast a link may send, by the kernel's queueing disciplines (tc).

A queue can only hold up what a link sends. To limit both ways, shape both ends of a cable: of a machine's tap the node
shapes what the machine receives, of the gateway's links what machines send. This is one limit for all that a link
sends; `sal.network.sharing` shares it among networks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from sal.command import Command, apply, run
from sal.errors import LinkMissingError
from sal.network.links import read_links

_BITS: Final = 8
#: What `remove_limit` may take away; another queue is somebody else's.
_OURS: Final = "tbf"


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class LimitSpec:
    """A token bucket: ``rate`` in bits a second, ``burst`` in bytes at once, ``latency`` in milliseconds of waiting.

    A packet that would have to wait longer is dropped. A burst of 64 KiB lets whole segments of a card with
    offloading pass; a smaller one than a packet lets nothing pass.
    """

    rate: Annotated[int, Field(ge=8_000)]
    burst: Annotated[int, Field(ge=2_000)] = 1 << 16
    latency: Annotated[int, Field(ge=1, le=10_000)] = 50


@dataclass(frozen=True)
class Queue:
    """The discipline by which a link sends: ``rate`` in bits a second, 0 if it is not limited by a token bucket.

    ``burst`` in bytes, ``latency`` in milliseconds; ``sent`` in bytes, ``dropped`` packets, both since it is in force.
    """

    kind: str
    rate: int = 0
    burst: int = 0
    latency: float = 0
    sent: int = 0
    dropped: int = 0


def read_queue(link: str, namespace: str | None = None) -> Queue | None:
    """Return a link's discipline, None if it has none, as a bridge. Raises `sal.errors.LinkMissingError`."""
    if link not in read_links(namespace):
        raise LinkMissingError(f"link {link}: not {f'in namespace {namespace}' if namespace else 'on this node'}")
    return parse_queue(run([*_tc(namespace), "-json", "-statistics", "qdisc", "show", "dev", link, "root"]))


def parse_queue(text: str) -> Queue | None:
    """Read what ``tc -json -statistics qdisc show dev LINK root`` prints; tc gives rates in bytes, latency in µs."""
    found: list[dict[str, Any]] = [one for one in json.loads(text or "[]") if one.get("root")]
    if not found or found[0]["kind"] == "noqueue":
        return None
    one, options = found[0], found[0].get("options", {})
    return Queue(
        kind=one["kind"],
        rate=options.get("rate", 0) * _BITS if one["kind"] == _OURS else 0,
        burst=options.get("burst", 0),
        latency=options.get("lat", 0) / 1000,
        sent=one.get("bytes", 0),
        dropped=one.get("drops", 0),
    )


def limit_commands(link: str, spec: LimitSpec, found: Queue | None, namespace: str | None = None) -> list[Command]:
    """Return what is missing of a limit.

    Rates are compared in whole bytes, and burst and latency with a hundredth of play: the kernel keeps them in ticks.
    """
    if found is not None and found.kind == _OURS and _same(spec, found):
        return []
    bucket = ("rate", f"{spec.rate}bit", "burst", str(spec.burst), "latency", f"{spec.latency}ms")
    return [Command((*_tc(namespace), "qdisc", "replace", "dev", link, "root", _OURS, *bucket))]


def ensure_limit(link: str, spec: LimitSpec, namespace: str | None = None) -> list[str]:
    """Limit what a link sends; return what was changed. Raises `sal.errors.LinkMissingError`."""
    return apply(limit_commands(link, spec, read_queue(link, namespace), namespace))


def remove_limit(link: str, namespace: str | None = None) -> list[str]:
    """Let a link send as fast as it can again; return what was changed."""
    found = read_queue(link, namespace)
    if found is None or found.kind != _OURS:
        return []
    return apply([Command((*_tc(namespace), "qdisc", "del", "dev", link, "root"))])


def _same(spec: LimitSpec, found: Queue) -> bool:
    pairs = ((spec.burst, found.burst), (spec.latency, found.latency))
    return spec.rate // _BITS == found.rate // _BITS and all(abs(one - other) <= one / 100 for one, other in pairs)


def _tc(namespace: str | None) -> list[str]:
    return ["tc", "-netns", namespace] if namespace else ["tc"]
