"""Gateways of cloudspaces: whether each namespace still has what makes it one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from sal.command import run
from sal.errors import CommandError
from sal.findings.finding import Finding, State, skipped
from sal.network.dnsmasq import Dnsmasq

NAMESPACES: Final = Path("/run/netns")
CATEGORY: Final = "Gateways"


@dataclass(frozen=True)
class Gateway:
    """A gateway that was made here: whether its namespace, its way out and its dnsmasq are there."""

    name: str
    namespace: bool
    route: bool
    served: bool


def gateways(prefix: str, folder: Path) -> list[Gateway]:
    """Look at each gateway of a prefix that has a namespace, or files in ``folder`` since it was made."""
    kept = {file.parent.name for file in folder.glob(f"{prefix}-g*/dnsmasq.conf")}
    names = {file.name for file in NAMESPACES.glob(f"{prefix}-g*")}
    return [_look(name, folder) for name in sorted(kept | names)]


def gateway_names(prefix: str, folder: Path) -> set[str]:
    """Return the gateways of a prefix of which anything is there: the namespace, files in ``folder``, or dnsmasq.

    A dnsmasq runs on when its namespace has lost its name, and its files are gone.
    """
    found = {file.name for place in (NAMESPACES, folder) for file in place.glob(f"{prefix}-g*")}
    begin = f"--conf-file={folder}/{prefix}-g"
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return found | {
        Path(word.partition("=")[2]).parent.name for line in lines for word in line if word.startswith(begin)
    }


def _look(name: str, folder: Path) -> Gateway:
    if not (NAMESPACES / name).exists():
        return Gateway(name, namespace=False, route=False, served=False)
    try:
        routes = json.loads(run(["ip", "-netns", name, "-json", "route", "show", "default"]) or "[]")
        pids = Dnsmasq(name, folder / name).pids()
    except CommandError:  # what is left of its name leads nowhere
        return Gateway(name, namespace=False, route=False, served=False)
    return Gateway(name, namespace=True, route=bool(routes), served=bool(pids))


def judge_gateways(found: Sequence[Gateway]) -> list[Finding]:
    """Judge each gateway: an ERROR without namespace or dnsmasq, a WARNING without a way out."""
    return [_judge(one) for one in found] or skipped(CATEGORY, "none", "This node has no gateway")


def _judge(one: Gateway) -> Finding:
    lacks = [] if one.namespace else ["its namespace is gone"]
    if one.namespace:
        lacks += [] if one.served else ["dnsmasq does not run"]
        lacks += [] if one.route else ["it has no way out"]
    state: State = "OK" if not lacks else "ERROR" if not (one.namespace and one.served) else "WARNING"
    return Finding(CATEGORY, one.name, state, f"{one.name}: {', '.join(lacks) or 'namespace and dnsmasq are there'}")
