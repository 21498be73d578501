"""What an agent is told at its start, and where it keeps its things."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agent.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

HYPERVISORS: Final = ("auto", "qemu", "test")
WORKERS: Final = {"default": 2, "io": 1, "hypervisor": 4, "process": 1, "console": 8}
"""Worker processes by queue, one for others; each is started when it is first needed and then kept."""

FOR_ONE_JOB: Final = "console"
"""Queue whose worker processes end with their job: consoles come in crowds, and each worker takes 60 MB."""

ONE_WORLD: Final = "hypervisor"
"""Queue of which a node with libvirt's test driver has one worker only: that driver's world lives in one process."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Settings of one agent.

    Args:
        controllers: where Agent Controllers listen, without ``/agent``; plain HTTP only to loopback. Of several, which
            serve the same installation, the agent speaks with any one and goes on to the next when that is away.
        state: folder of the installation; the agent writes below ``agent/`` in it.
        hypervisor: ``qemu``, ``test`` (libvirt's simulated driver) or ``auto`` (qemu if its daemon answers).
        join_token: needed once, until the node has its own credential; the pin of a private authority may follow a dot.
        join_token_file: file that holds the join token instead; removed once the node has its credential.
        ca_pin: pin of the private authority to trust from now on; given by hand, it counts before what was kept.
        roles: roles to ask for; empty takes all that the join token grants.
        grace: seconds that running jobs get when the agent is told to stop.
        alone_after: seconds without a controller after which scripts that are marked ``offline`` run by themselves.

    """

    controllers: tuple[str, ...]
    state: Path
    hypervisor: str = "auto"
    join_token: str | None = None
    join_token_file: Path | None = None
    ca_pin: str | None = None
    roles: tuple[str, ...] = ()
    grace: float = 5.0
    alone_after: float = 30.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work; raises SettingsError."""
        if self.hypervisor not in HYPERVISORS:
            raise SettingsError(f"hypervisor is {self.hypervisor!r}; choose one of {', '.join(HYPERVISORS)}")
        if not self.controllers:
            raise SettingsError("no controller is named")
        for url in self.controllers:
            check_controller_url(url)

    @property
    def folder(self) -> Path:
        """The agent's own folder."""
        return self.state / "agent"


def check_controller_url(url: str) -> None:
    """Refuse an address over which the credential would travel in the clear.

    Raises:
        SettingsError: not an http(s) address, or plain HTTP to another machine.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"controller address {url!r} is not an http(s) address")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingsError(f"controller address {url!r} would send the credential in the clear; use https")


def is_loopback(host: str) -> bool:
    """Tell whether a host name of an address is this machine's loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
