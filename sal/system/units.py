"""Unit files of systemd that the administrator adds: writing, checking and removing them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sal import files
from sal.command import Command, apply, run
from sal.system.services import checked, ensure_at_boot, ensure_running, systemd_runs

_FOLDER: Final = "etc/systemd/system"


def ensure_unit(name: str, text: str, root: Path | None = None) -> list[str]:
    """Have a unit of the administrator with this text (systemd.unit(5)); return what was changed.

    Where systemd runs it reads its units anew. `check_unit` tells beforehand whether it would understand it.
    """
    file = (root or Path("/")) / _FOLDER / checked(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not files.write(file, text):
        return []
    return [f"wrote {file}", *_reload(root)]


def remove_unit(name: str, root: Path | None = None) -> list[str]:
    """Remove a unit of the administrator, stopped and taken out of the boot first; return what was changed."""
    file = (root or Path("/")) / _FOLDER / checked(name)
    if not file.exists():
        return []
    done = ensure_running(name, wanted=False) if root is None and systemd_runs() else []
    done += ensure_at_boot(name, wanted=False, root=root)
    file.unlink()
    return [*done, f"removed {file}", *_reload(root)]


def check_unit(file: Path) -> None:
    """Have systemd look at a unit file without installing it; raises `sal.errors.CommandError` with its complaints."""
    run(["systemd-analyze", "verify", "--man=no", str(file.absolute())])


def _reload(root: Path | None) -> list[str]:
    return apply([Command(("systemctl", "daemon-reload"))]) if root is None and systemd_runs() else []
