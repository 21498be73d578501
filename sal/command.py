"""Running the system's commands: argument lists only, never a shell."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sal.errors import CommandError, CommandTimeoutError, MissingToolError

#: Where Debian keeps the commands that this package uses.
PACKAGES = {
    "apt-get": "apt",
    "blkid": "util-linux",
    "bridge": "iproute2",
    "dnsmasq": "dnsmasq-base",
    "dpkg-query": "dpkg",
    "dumpe2fs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "e2label": "e2fsprogs",
    "findmnt": "util-linux",
    "groupadd": "passwd",
    "ip": "iproute2",
    "losetup": "mount",
    "lsblk": "util-linux",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "mkfs.vfat": "dosfstools",
    "mkfs.xfs": "xfsprogs",
    "nft": "nftables",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "resize2fs": "e2fsprogs",
    "sfdisk": "fdisk",
    "ssh-keygen": "openssh-client",
    "sysctl": "procps",
    "systemctl": "systemd",
    "tc": "iproute2",
    "timedatectl": "systemd",
    "useradd": "passwd",
    "umount": "mount",
    "usermod": "passwd",
}


@dataclass(frozen=True)
class Command:
    """A command that an operation wants to run, as plain data, so that tests can read plans without a host."""

    args: tuple[str, ...]
    input: str | None = None

    def run(self, timeout: float = 30) -> str:
        """Run it and return what it printed."""
        return run(self.args, self.input, timeout)


def apply(plan: Iterable[Command], timeout: float = 30) -> list[str]:
    """Run what a plan says, in its order; return the commands as text: what was changed.

    Nothing if nothing was missing. What commands were given to read is left out: it may be secret. Raises at the first
    that fails, as `run` does.
    """
    done = []
    for command in plan:
        command.run(timeout)
        done.append(shlex.join(command.args))
    return done


def run(args: Sequence[str], input: str | None = None, timeout: float = 30) -> str:  # noqa: A002 - subprocess's own name for it
    """Run a command to its end and return what it printed.

    Params: ``args`` the program and its arguments; ``input`` text for its standard input; ``timeout`` in seconds.
    Raises `CommandError` with the command and its complaint, `CommandTimeoutError`, `MissingToolError`.
    """
    try:
        done = subprocess.run(list(args), input=input, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise missing(args[0]) from error
    except subprocess.TimeoutExpired as error:
        raise CommandTimeoutError(f"{shlex.join(args)}: no end within {timeout:g} s") from error
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip() or "said nothing"
        failed = CommandError(f"{shlex.join(args)}: exit status {done.returncode}: {complaint}")
        failed.status = done.returncode
        raise failed
    return done.stdout


def missing(tool: str) -> MissingToolError:
    """Return the error for a tool that is not installed, naming its Debian package."""
    return MissingToolError(f"{tool} is not installed; run: apt-get install {PACKAGES.get(tool, tool)}")
