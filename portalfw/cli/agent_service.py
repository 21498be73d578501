"""``portalfw agent install`` and ``uninstall``: the agent of this node as a service of systemd."""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from portalfw.cli.agent_unit import SERVICE, STATE, UNIT, AgentUnit
from portalfw.errors import ForbiddenError, InvalidError, NotFoundError, StartError

SYSTEMD: Final = Path("/run/systemd/system")
"""There if systemd runs the machine (sd_booted(3))."""

ROOT_OPTION: Final = click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), help="An image's root; none is run."
)


@click.command()
@click.option(
    "--controller",
    required=True,
    multiple=True,
    help="Address of a controller: https, or http to loopback; repeatable.",
)
@click.option("--join-token", help="One-time token with which this node enters; not needed if it has entered.")
@click.option("--ca-pin", help="Pin of the portal's private authority, if the token does not carry it.")
@click.option("--user", help="An ordinary user to run as: fewer abilities, no machines, no networks.")
@click.option("--hypervisor", type=click.Choice(["auto", "qemu", "test"]), default="auto", show_default=True)
@click.option("--role", multiple=True, help="Ask for this role only; repeatable.")
@click.option("--print", "only_print", is_flag=True, help="Show what would be written, and write nothing.")
@ROOT_OPTION
def install(
    *,
    controller: tuple[str, ...],
    join_token: str | None,
    ca_pin: str | None,
    user: str | None,
    hypervisor: str,
    role: tuple[str, ...],
    only_print: bool,
    root: Path,
) -> None:
    """Write a service of systemd that runs the agent, and start it. Doing it again changes what is different."""
    for one in controller:
        _check(one)
    unit = AgentUnit(tuple(one.rstrip("/") for one in controller), user, hypervisor, role)
    token = _with_pin(join_token, ca_pin)
    if only_print:
        click.echo(f"# {UNIT}\n{unit.text()}")
        click.echo(f"# {STATE}/ (mode 0700, of {user or 'root'})")
        if token:
            click.echo(f"# {unit.token_file} (mode 0600): the join token, removed once the node has entered")
        return
    owner = _owner(user, root)
    _make_state(root, owner)
    if token:
        _write(_below(root, unit.token_file), token + "\n", 0o600, owner)
    _write(_below(root, UNIT), unit.text(), 0o644, None)
    _start(unit, root)


@click.command()
@click.option("--purge", is_flag=True, help="Remove its state too: its credential, so that it has to enter again.")
@ROOT_OPTION
def uninstall(*, purge: bool, root: Path) -> None:
    """Stop the service and remove it; what the agent has kept stays, unless it is purged."""
    file = _below(root, UNIT)
    if not file.exists():
        raise NotFoundError(f"{file} does not exist: the agent is not installed there.")
    if _is_this_machine(root) and SYSTEMD.exists():
        _systemctl("disable", "--now", SERVICE)
    file.unlink()
    if _is_this_machine(root) and SYSTEMD.exists():
        _systemctl("daemon-reload")
    click.echo(f"{file} is removed.")
    state = _below(root, STATE)
    if purge and state.exists():
        shutil.rmtree(state)
        click.echo(f"{state} is removed.")


def _check(controller: str) -> None:
    """Refuse an address over which the credential would travel in the clear."""
    parts = urlsplit(controller)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidError(f"{controller!r} is not the address of a controller, such as https://cloud.example.org.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise InvalidError(f"{controller} would send the node's credential in the clear; use https (portalfw pki).")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_pin(token: str | None, pin: str | None) -> str:
    if not token:
        return ""
    return f"{token.partition('.')[0]}.{pin}" if pin else token


def _owner(user: str | None, root: Path) -> pwd.struct_passwd | None:
    """Return whose the files are to be; those of an image become the user's when the service starts."""
    if not _is_this_machine(root):
        return None
    if os.geteuid() != 0:
        raise ForbiddenError("A service is installed by root; use sudo, or --print to see what it would be.")
    try:
        return pwd.getpwnam(user) if user else None
    except KeyError as error:
        raise NotFoundError(
            f"User {user} does not exist; make it: useradd --system --home-dir {STATE} --shell /usr/sbin/nologin {user}"
        ) from error


def _make_state(root: Path, owner: pwd.struct_passwd | None) -> None:
    state = _below(root, STATE)
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.chmod(0o700)
        if owner is not None:
            os.chown(state, owner.pw_uid, owner.pw_gid)
    except OSError as error:
        raise StartError(f"{state} cannot be made: {error.strerror}.") from error


def _write(file: Path, text: str, mode: int, owner: pwd.struct_passwd | None) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as opened:
            os.fchmod(opened.fileno(), mode)
            if owner is not None:
                os.fchown(opened.fileno(), owner.pw_uid, owner.pw_gid)
            opened.write(text)
    except OSError as error:
        raise StartError(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(f"{file} is written.")


def _start(unit: AgentUnit, root: Path) -> None:
    if not _is_this_machine(root):
        click.echo(f"Enable it in the image: systemctl --root={root} enable {SERVICE}")
        return
    if not SYSTEMD.exists():
        click.echo("systemd does not run here, so nothing was started. Start the agent by hand:", err=True)
        click.echo(f"  {unit.by_hand()}", err=True)
        return
    _systemctl("daemon-reload")
    _systemctl("enable", SERVICE)
    _systemctl("restart", SERVICE)
    click.echo(f"The agent runs; journalctl -u {SERVICE} shows what it says.")


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartError(f"systemctl {' '.join(words)} failed: {done.stderr.strip()}")


def _is_this_machine(root: Path) -> bool:
    return root.resolve() == Path("/")


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")
