"""The service of systemd that runs a node's agent: what stands in its unit, for a node that carries machines or not."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVICE: Final = "portalfw-agent"
UNIT: Final = Path(f"/etc/systemd/system/{SERVICE}.service")
STATE: Final = Path(f"/var/lib/{SERVICE}")

CAPABILITIES: Final = (
    *("CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_NICE"),
    *("CAP_SYS_PTRACE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"),
    *("CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_IPC_LOCK"),
    *("CAP_AUDIT_WRITE", "CAP_LEASE"),
)
"""What the SAL needs of root: links and namespaces, disks and mounts, processes, packages, users. Not among them, for
instance: loading kernel modules, raw I/O, rebooting, BPF, reading the kernel's log."""

EVERYWHERE: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
    "Delegate=yes",  # a control group for each worker (agent/cgroup.py)
)

OF_HYPERVISOR: Final = (
    # Nothing that gives the service mounts of its own (ProtectSystem=, PrivateTmp= …): the network namespaces that it
    # makes are mounts, and would be seen by nobody else and be gone after its restart.
    f"CapabilityBoundingSet={' '.join(CAPABILITIES)}",
    "RestrictNamespaces=net mnt",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET",
    "SystemCallFilter=~@obsolete @cpu-emulation @raw-io @reboot @swap",
    "SystemCallErrorNumber=EPERM",
    # What it starts for cloudspaces (their DHCP servers) goes on while it is stopped; workers it ends by itself.
    "KillMode=process",
)

OF_USER: Final = (
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictSUIDSGID=yes",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
    "SystemCallErrorNumber=EPERM",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "RemoveIPC=yes",
    "UMask=0077",
    "KillMode=mixed",
)


@dataclass(frozen=True)
class AgentUnit:
    """What is to run: the controllers' addresses, the user (None for root), the hypervisor and the roles."""

    controllers: tuple[str, ...]
    user: str | None = None
    hypervisor: str = "auto"
    roles: tuple[str, ...] = ()

    @property
    def token_file(self) -> Path:
        """Where the join token lies until the node has entered."""
        return STATE / "join-token"

    def command(self) -> list[str]:
        """Return the command of the agent."""
        found = [sys.executable, "-m", "agent", "--state", str(STATE)]
        found += [word for one in self.controllers for word in ("--controller", one)]
        found += ["--hypervisor", self.hypervisor, "--join-token-file", str(self.token_file)]
        return [*found, *(word for role in self.roles for word in ("--role", role))]

    def text(self) -> str:
        """Return the unit's text."""
        return "\n".join(
            [
                "[Unit]",
                f"Description=Agent of this node for {self.controllers[0]}",
                "After=network-online.target libvirtd.service",
                "Wants=network-online.target",
                "StartLimitIntervalSec=0",
                "",
                "[Service]",
                f"ExecStart={' '.join(_quoted(word) for word in self.command())}",
                *([f"User={self.user}"] if self.user else []),
                f"StateDirectory={SERVICE}",
                "StateDirectoryMode=0700",
                "Restart=always",
                "RestartSec=10",
                "TimeoutStopSec=30",
                *EVERYWHERE,
                *(self._of_user() if self.user else OF_HYPERVISOR),
                "",
                "[Install]",
                "WantedBy=multi-user.target",
                "",
            ]
        )

    def _of_user(self) -> tuple[str, ...]:
        """Hide people's homes, unless the program itself lies in one."""
        program = Path(sys.executable)
        at_home = any(part in program.parents for part in (Path("/home"), Path("/root"), Path("/run/user")))
        return (*OF_USER, f"ProtectHome={'read-only' if at_home else 'yes'}")

    def by_hand(self) -> str:
        """Return the command as somebody types it."""
        return shlex.join(self.command())


def _quoted(word: str) -> str:
    """Return a word as a unit's ExecStart= takes it (systemd.syntax(7)): % and $ are doubled."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return plain if plain and not any(sign in plain for sign in " '\";\t") else f'"{plain}"'
