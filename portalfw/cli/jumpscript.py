"""``portalfw jumpscript``: the JumpScripts of a running portal, and trying one that lies in a file here."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from typing import Any

import click

from portalfw.cli.named import argument_option, named_arguments
from portalfw.cli.remote import Remote
from portalfw.cli.remote_group import remote_group
from portalfw.cli.shown import json_option, print_json, print_rows
from portalfw.cli.tail import tail

INTERRUPTED = 130  # exit status after Ctrl+C, as shells have it


@remote_group
def jumpscript() -> None:
    """List the JumpScripts of a running portal, and try one on a node."""


@jumpscript.command("list")
@click.option("--search", default="", help="Words of the name or the description.")
@json_option
@click.pass_obj
def list_jumpscripts(remote: Remote, search: str, *, as_json: bool) -> None:
    """List the JumpScripts that jobs can be made of."""
    rows = remote.call("system/agentcontroller/listJumpscripts", {"search": search})
    columns = {"Script": "name", "Queue": "queue", "Roles": "roles", "What it does": "descr", "Broken": "broken"}
    print_rows(rows, columns, as_json=as_json)


@jumpscript.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--node", type=int, required=True, help="The node to run it on.")
@argument_option
@click.option("--timeout", type=float, help="Seconds that it may run; by default what its header says.")
@click.option("--result", "with_result", is_flag=True, help="Print what action() returned, as JSON, as the last thing.")
@click.pass_obj
def run(
    remote: Remote, file: Path, node: int, given: tuple[str, ...], timeout: float | None, *, with_result: bool
) -> None:
    """Run a JumpScript from a FILE of this machine on a node and print what it says.

    Exit status: 0 if it ended as OK, 1 if not; after Ctrl+C the job is cancelled. It needs the group level3.
    """
    asked: dict[str, Any] = {"source": _text(file), "name": _name(file), "nid": node, "args": named_arguments(given)}
    if timeout is not None:
        asked["timeout"] = timeout
    job = remote.call("system/agentcontroller/executeScript", {**asked, "wait": False})["id"]
    click.echo(f"Job {job}", err=True)
    try:
        status = tail(remote, job)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # pressed twice, it must not keep the job from being cancelled
        click.echo(f"Job {job} is being cancelled.", err=True)
        remote.call("system/gridmanager/cancelJob", {"jobId": job, "reason": "Ctrl+C"})
        sys.exit(INTERRUPTED)
    if with_result:
        print_json(remote.call("system/gridmanager/getJob", {"jobId": job})["result"])
    sys.exit(status)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{file} is not UTF-8.", param_hint="FILE") from error


def _name(file: Path) -> str:
    """Return a name that the portal takes, made from the file's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", file.stem).lstrip(".-")[:100] or "script"
