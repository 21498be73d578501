"""DHCP and DNS of a cloudspace: one dnsmasq in the gateway's namespace, with its files in one folder."""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
import signal
from pathlib import Path
from typing import Final

import psutil

from sal import files
from sal.network.links import inside
from sal.network.namespaces import namespace_pids
from sal.network.spec import INSIDE, GatewaySpec
from sal.system.processes import end

_RESOLVERS: Final = ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf")


class Dnsmasq:
    """The dnsmasq of one gateway. It lives on when the process that started it ends."""

    def __init__(self, namespace: str, folder: Path) -> None:
        """Keep its files in ``folder``."""
        self.namespace = namespace
        self.folder = folder
        self.config = folder / "dnsmasq.conf"

    def pids(self) -> list[int]:
        """Return the processes of this dnsmasq in its namespace."""
        return [pid for pid in namespace_pids(self.namespace) if self._is_ours(pid)]

    def everywhere(self) -> list[int]:
        """Return the processes of this dnsmasq, also those whose namespace has lost its name."""
        return [pid for pid in psutil.pids() if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            return f"--conf-file={self.config}" in psutil.Process(pid).cmdline()
        except psutil.Error:
            return False

    def ensure(self, spec: GatewaySpec) -> bool:
        """Make it answer as asked; return whether anything had to change.

        New leases are read in without a restart. A lease that is gone needs one: dnsmasq would keep the address from
        its next owner until the lease runs out.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        reconfigured = files.write(self.config, config_text(spec, self.folder, nameservers(), account(self.folder)))
        changed = [files.write(self.folder / name, text) for name, text in hosts_files(spec).items()]
        running, outdated = self.pids(), outdated_leases(spec, self._leases())
        if running and not reconfigured and not outdated:
            for pid in running if any(changed) else ():
                os.kill(pid, signal.SIGHUP)
            return any(changed)
        self._restart(outdated)
        return True

    def stop(self) -> bool:
        """End it; return whether it ran."""
        pids = self.everywhere()
        end(pids)
        return bool(pids)

    def forget(self) -> None:
        """Remove the files of one that has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _leases(self) -> list[str]:
        file = self.folder / "leases"
        return file.read_text(encoding="ascii").splitlines() if file.exists() else []

    def _restart(self, outdated: list[str]) -> None:
        self.stop()
        kept = [line for line in self._leases() if line not in outdated]
        (self.folder / "leases").write_text("".join(f"{line}\n" for line in kept), encoding="ascii")
        inside(self.namespace, "dnsmasq", f"--conf-file={self.config}").run()


def config_text(spec: GatewaySpec, folder: Path, servers: list[str], user: str) -> str:
    """Return dnsmasq's configuration: addresses for known cards only, the cloudspace's names, resolvers."""
    address, network = spec.address, spec.network
    lines = [
        f"interface={INSIDE}",
        "except-interface=lo",
        "bind-interfaces",
        f"user={user}",
        f"pid-file={folder / 'pid'}",
        f"log-facility={folder / 'log'}",
        "no-resolv",
        *(f"server={server}" for server in servers),
        "no-hosts",
        f"addn-hosts={folder / 'names'}",
        "domain-needed",
        "bogus-priv",
        f"dhcp-range={network.network_address},static,{network.netmask},12h",
        f"dhcp-hostsfile={folder / 'reservations'}",
        f"dhcp-leasefile={folder / 'leases'}",
        "dhcp-authoritative",
        "no-ping",
        f"dhcp-option=option:router,{address}",
        f"dhcp-option=option:dns-server,{address}",
    ]
    return "".join(f"{line}\n" for line in lines)


def hosts_files(spec: GatewaySpec) -> dict[str, str]:
    """Return the files that dnsmasq reads again when it is told to: who gets which address, and what it is called."""
    leases = sorted(spec.leases, key=lambda lease: lease.ip)
    reservations = (",".join(filter(None, (lease.mac, str(lease.ip), lease.hostname))) for lease in leases)
    names = (f"{lease.ip} {lease.hostname}" for lease in leases if lease.hostname)
    return {"reservations": "".join(f"{one}\n" for one in reservations), "names": "".join(f"{one}\n" for one in names)}


def outdated_leases(spec: GatewaySpec, lines: list[str]) -> list[str]:
    """Return the lines of dnsmasq's lease file (time, card, address, ...) whose card no longer has that address."""
    known = {(lease.mac, str(lease.ip)) for lease in spec.leases}
    return [line for line in lines if len(words := line.split()) >= 3 and (words[1], words[2]) not in known]  # noqa: PLR2004


def nameservers() -> list[str]:
    """Return the node's name servers that a namespace can reach: loopback is another one there."""
    for file in map(Path, _RESOLVERS):
        if file.exists():
            words = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
            found = [parts[1].partition("%")[0] for parts in words if parts[:1] == ["nameserver"] and len(parts) > 1]
            return [one for one in found if not ipaddress.ip_address(one).is_loopback]
    return []


def account(folder: Path) -> str:
    """Return who dnsmasq should be: its own user where that can reach its files, else it could not read them again."""
    open_to_all = all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
    try:
        pwd.getpwnam("dnsmasq")
    except KeyError:
        return "root"
    return "dnsmasq" if open_to_all else "root"
