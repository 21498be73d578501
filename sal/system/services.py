"""Services and other units of systemd: what they are, starting and stopping them now and at boot.

What happens at boot can also be set for a system that does not run, by the ``root`` of its files. What happens now
needs systemd: in a container without it `sal.errors.SystemdMissingError` says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sal.command import Command, apply, run
from sal.errors import CommandError, SpecError, SystemdMissingError

_UNIT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9:_.\\@-]*\.(service|socket|timer|target|path|mount)")
_PROPERTIES: Final = "Id,Description,LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,Result"
#: systemd makes this folder when it is the one that has started the machine (sd_booted(3)).
RUNNING: Final = Path("/run/systemd/system")
Verb = Literal["start", "stop", "enable", "disable"]


@dataclass(frozen=True)
class Service:
    """A unit now: ``active`` is ``active``, ``inactive``, ``failed`` ...; ``enabled`` as in `enabled`.

    ``pid`` of its main process, 0 if it has none; ``restarts`` by systemd since it was started; ``result`` says why it
    failed. ``loaded`` is ``not-found`` for a unit that is not there.
    """

    name: str
    description: str
    loaded: str
    active: str
    detail: str
    enabled: str
    pid: int
    restarts: int
    result: str


def systemd_runs() -> bool:
    """Tell whether this machine was started by systemd."""
    return RUNNING.is_dir()


def read_services(*names: str) -> list[Service]:
    """Return units as they are now, all services that are loaded if none is named."""
    _needs_systemd()
    asked = [checked(name) for name in names] or ["*.service"]
    return parse_services(run(["systemctl", "show", f"--property={_PROPERTIES}", "--", *asked]))


def parse_services(text: str) -> list[Service]:
    """Read what ``systemctl show`` prints: a paragraph for each unit."""
    return [_service(paragraph) for paragraph in text.split("\n\n") if paragraph.strip()]


def enabled(name: str, root: Path | None = None) -> str:
    """Return what happens to a unit at boot: ``enabled``, ``disabled``, ``static``, ``masked``, empty if not there.

    Of a template (``getty@.service``) it is asked as such.

    Params: ``root`` the folder that stands for ``/`` of a system that does not run.
    """
    try:
        listed = run([*_systemctl(root), "list-unit-files", "--output=json", "--", checked(name)])
    except CommandError as error:
        if error.status == 1 and str(error).endswith(": []"):  # that is how it says that there is none
            return ""
        raise
    return parse_unit_files(listed).get(name, "")


def parse_unit_files(text: str) -> dict[str, str]:
    """Read what ``systemctl list-unit-files --output=json`` prints: states by name."""
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return {one["unit_file"]: one["state"] for one in found}


def boot_commands(name: str, wanted: bool, found: str, root: str | None = None) -> list[Command]:
    """Return what is missing for a unit to be started at boot, or not to be.

    Raises `sal.errors.SpecError` if there is no such unit, or it is masked. A static one, which others start, is as
    wanted either way.
    """
    if found in {"", "masked"}:
        raise SpecError(f"unit {name}: {'is masked; unmask it first' if found else 'not there'}")
    is_on = found in {"enabled", "enabled-runtime", "alias"}
    if is_on == wanted or found in {"static", "indirect", "generated", "transient"}:
        return []
    place = ("--root", root) if root else ()
    return [Command(("systemctl", *place, "--quiet", "enable" if wanted else "disable", "--", name))]


def ensure_at_boot(name: str, wanted: bool = True, root: Path | None = None) -> list[str]:
    """Have a unit started at boot, or not; return what was changed. It is not started or stopped now."""
    found = enabled(name, root)
    return apply(boot_commands(name, wanted, found, str(root) if root else None))


def run_commands(found: Service, wanted: bool) -> list[Command]:
    """Return what is missing for a unit to run now, or not to. Raises `sal.errors.SpecError` if there is none."""
    if found.loaded == "not-found":
        raise SpecError(f"unit {found.name}: not there")
    runs = found.active in {"active", "activating", "reloading"}
    return [] if runs == wanted else [Command(("systemctl", "start" if wanted else "stop", "--", found.name))]


def ensure_running(name: str, wanted: bool = True) -> list[str]:
    """Have a unit run now, or not; return what was changed. Raises `sal.errors.SystemdMissingError`."""
    return apply(run_commands(read_services(name)[0], wanted), timeout=120)


def restart(name: str) -> list[str]:
    """Restart a unit that runs, as after its configuration has changed; return what was changed."""
    if not run_commands(read_services(name)[0], wanted=False):
        return []
    return apply([Command(("systemctl", "restart", "--", checked(name)))], timeout=120)


def checked(name: str) -> str:
    """Return the name of a unit; raise `sal.errors.SpecError` if it is none."""
    if not _UNIT.fullmatch(name):
        raise SpecError(f"unit {name!r}: not the name of one, as nginx.service")
    return name


def _systemctl(root: Path | None) -> list[str]:
    return ["systemctl", *(["--root", str(root)] if root else [])]


def _needs_systemd() -> None:
    if not systemd_runs():
        raise SystemdMissingError(
            "this machine was not started by systemd (a container?), so that no service can be asked about or changed"
        )


def _service(paragraph: str) -> Service:
    found = dict(line.split("=", 1) for line in paragraph.splitlines() if "=" in line)
    return Service(
        name=found["Id"],
        description=found.get("Description", ""),
        loaded=found["LoadState"],
        active=found["ActiveState"],
        detail=found.get("SubState", ""),
        enabled=found.get("UnitFileState", ""),
        pid=int(found.get("MainPID") or 0),
        restarts=int(found.get("NRestarts") or 0),
        result=found.get("Result", ""),
    )
