"""A machine that is made only to see whether this node can make one: it boots, is asked to write, and is removed."""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from sal.exclusive import exclusive
from sal.hypervisor.domain_xml import CONSOLE_LOGS, console_log
from sal.hypervisor.site import Site
from sal.hypervisor.spec import DiskSpec, MachineSpec
from sal.hypervisor.storage import GIB, Volume, list_pools

MIB: Final = 1 << 20
MEMORY: Final = 128
"""MiB of the test machine; the least in which the shipped guest boots is 96."""

LARGEST: Final = 256 * MIB
"""An image whose disk is larger is not tiny: it would need more memory and more time than a look may cost."""

BOOTABLE: Final = MIB
"""An image that takes less of the node's disk has nothing on it that could boot."""

ROOM: Final = (512 * MIB, GIB)
"""Memory and disk that must be free, so that the look takes nothing away that somebody needs."""

BOOT: Final = 120.0
"""Seconds in which something must be seen on the console; emulated guests on a busy node take half a minute."""

ANSWER: Final = 30.0
"""Seconds in which a shell on the console must answer, if there is one."""

AGAIN: Final = 3.0
"""Seconds after which the shell is asked again: QEMU hears a console that was silent only after a second."""

WRITE: Final = 64
"""MiB that the guest writes."""

PANIC: Final = "Kernel panic"
ASKED: Final = "echo portalfw-$((40+2))"
ANSWERED: Final = "portalfw-42"
WRITING: Final = (
    "read -r a _ </proc/uptime; "
    f"dd if=/dev/zero of=/dev/vdb bs=1048576 count={WRITE} conv=fsync 2>/dev/null; b=$?; "
    "read -r c _ </proc/uptime; echo portalfw-$((50+2)) $a $b $c"
)
WRITTEN: Final = re.compile(r"portalfw-52 ([0-9.]+) ([0-9]+) ([0-9.]+)")


@dataclass(frozen=True)
class Trial:
    """How a test machine did.

    ``obstacle`` says why none was made; ``problem`` what went wrong with it; ``seen`` after how many seconds its
    console spoke, None where machines are only simulated; ``speed`` how many MiB a second it wrote, None if nobody on
    its console could be asked.
    """

    obstacle: str = ""
    problem: str = ""
    image: str = ""
    emulated: bool = False
    seen: float | None = None
    speed: float | None = None


def trial_name(site: str) -> str:
    """Return the name of a site's test machine, with which the names of its volumes begin."""
    return f"{site}-trial"


def try_machine(site: Site, lock: Path, tell: Callable[[str], None]) -> Trial:
    """Make a test machine, see it boot and write, and remove it whatever happens. Raises `sal.errors.SalError`.

    What a run that was killed has left is removed first. Params: ``lock`` is the node's, for changes of what machines
    share; ``tell`` hears what is done.
    """
    if clear(site, lock):
        tell("a test machine that was left behind is removed")
    image = None if site.simulated else tiny_image(site)
    obstacle = "" if site.simulated else _obstacle(site, image)
    if obstacle:
        return Trial(obstacle)
    try:
        with exclusive(lock):
            state = site.machines.create(_spec(site.storage.site, image))
        tell(f"test machine {state.name} is {state.state} ({state.reason})")
        if site.simulated:
            problem = "" if state.state == "running" else f"it is {state.state} ({state.reason})"
            return Trial(problem=problem)
        return _watch(site, state.name, image.name if image else "", tell)
    finally:
        clear(site, lock)


def clear(site: Site, lock: Path) -> bool:
    """Remove a site's test machine with its volumes; return whether there was anything of it."""
    name = trial_name(site.storage.site)
    with exclusive(lock):
        found = site.machines.delete(name)
        for volume in [one.name for one in site.storage.volumes() if one.name.startswith(name)]:
            found |= site.storage.delete(volume)
        site.storage.remove_if_empty()
    return found


def tiny_image(site: Site) -> Volume | None:
    """Return the smallest image on the node that can boot in little memory, None if there is none."""
    images = re.compile(rf"{re.escape(site.storage.site)}-i\d+")
    fitting = [
        one
        for one in site.storage.volumes()
        if images.fullmatch(one.name) and one.capacity <= LARGEST and one.allocation >= BOOTABLE
    ]
    return min(fitting, key=lambda one: one.allocation, default=None)


def _obstacle(site: Site, image: Volume | None) -> str:
    if image is None:
        return f"no image with a disk of at most {LARGEST // MIB} MiB is on this node"
    if not os.access(CONSOLE_LOGS, os.R_OK | os.X_OK):
        return f"this agent may not read what consoles say, in {CONSOLE_LOGS}"
    memory = psutil.virtual_memory().available
    if memory < ROOM[0]:
        return f"only {memory // MIB} MiB of memory are free"
    disk = next((one.available for one in list_pools(site.hypervisor) if one.name == site.storage.site), 0)
    return f"only {disk // MIB} MiB are free where disks are" if disk < ROOM[1] else ""


def _spec(site: str, image: Volume | None) -> MachineSpec:
    name = trial_name(site)
    disks = [
        DiskSpec(f"{name}-boot", 1, image.name if image else None, boot=True),
        DiskSpec(f"{name}-data", 1),
    ]
    return MachineSpec(name, str(uuid.uuid4()), MEMORY, 1, disks)


def _watch(site: Site, name: str, image: str, tell: Callable[[str], None]) -> Trial:
    """Wait until the console speaks, then ask its shell to write."""
    began, emulated = time.monotonic(), site.machines.domain_type != "kvm"
    log = Path(console_log(name))
    if not _until(lambda: bool(_said(log)), BOOT):
        state = site.machines.state(name)
        problem = f"its console says nothing for {BOOT:.0f} s; it is {state.state} ({state.reason})"
        return Trial(problem=problem, image=image, emulated=emulated)
    seen = time.monotonic() - began
    tell(f"its console speaks after {seen:.1f} s")
    console = site.machines.console(name)
    try:
        speed = _write(console, log)
    except OSError as error:  # the terminal is gone with its machine
        problem = f"its console is gone ({error.strerror}); it is {site.machines.state(name).state}"
        return Trial(problem=problem, image=image, emulated=emulated, seen=seen)
    problem = "its kernel panicked" if PANIC in _said(log) else "it cannot write to its disk" if speed == 0 else ""
    return Trial(problem=problem, image=image, emulated=emulated, seen=seen, speed=speed)


def _write(console: str, log: Path) -> float | None:
    """Have a shell on the console write to the second disk.

    Return MiB a second, 0 if it could not, None if no shell answers.
    """
    terminal = os.open(console, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        for _ in range(int(ANSWER / AGAIN)):
            _type(terminal, ASKED)
            if _until(lambda: ANSWERED in _heard(terminal, log), AGAIN):
                break
        else:
            return None
        _type(terminal, WRITING)
        _until(lambda: WRITTEN.search(_heard(terminal, log)) is not None, ANSWER)
    finally:
        os.close(terminal)
    written = WRITTEN.search(_said(log))
    if written is None:
        return WRITE / ANSWER  # at most
    return WRITE / max(float(written[3]) - float(written[1]), 0.01) if written[2] == "0" else 0.0


def _type(terminal: int, line: str) -> None:
    os.write(terminal, f"{line}\n".encode())


def _heard(terminal: int, log: Path) -> str:
    """Return all that the console said; what waits in the terminal is taken, or the guest would wait for us."""
    with contextlib.suppress(BlockingIOError):  # nothing waits
        os.read(terminal, 1 << 16)
    return _said(log)


def _said(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _until(condition: Callable[[], bool], limit: float) -> bool:
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
