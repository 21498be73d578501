"""``portalfw space``: the spaces of a running portal, their git remotes, and zip files of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from portalfw.cli.api import remote_options
from portalfw.cli.remote import Remote

ACTOR = "system/spaces"


@click.group()
@remote_options
@click.pass_context
def space(ctx: click.Context, url: str, token: str | None) -> None:
    """Show, exchange, export and import the spaces of a running portal."""
    ctx.obj = Remote(url, token)


@space.command("list")
@click.pass_obj
def list_spaces(remote: Remote) -> None:
    """List the spaces that you may read."""
    table = Table("Space", "Title", "Pages", box=None, pad_edge=False)
    for row in _ask(remote, "list"):
        table.add_row(row["name"], row["title"], str(row["pages"]))
    Console().print(table)


@space.command()
@click.argument("name")
@click.pass_obj
def status(remote: Remote, name: str) -> None:
    """Say how far a space and its git remote are apart, and which pages wait for somebody to merge them."""
    found = _ask(remote, "status", space=name)
    click.echo(f"{name} is at {found['head'][:12]}; {found['ahead']} to push, {found['behind']} to pull")
    for row in _ask(remote, "conflicts", space=name):
        click.echo(f"conflict: {row['page']} ({row['source']})")


@space.command()
@click.argument("name")
@click.pass_obj
def pull(remote: Remote, name: str) -> None:
    """Merge what the git remote of a space has."""
    _tell(_ask(remote, "pull", space=name))


@space.command()
@click.argument("name")
@click.pass_obj
def push(remote: Remote, name: str) -> None:
    """Push a space to its git remote."""
    _ask(remote, "push", space=name)
    click.echo(f"{name} is pushed.")


@space.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def export(remote: Remote, name: str, file: Path) -> None:
    """Write all files of a space into a zip FILE."""
    content = base64.b64decode(_ask(remote, "export", space=name))
    file.write_bytes(content)
    click.echo(f"{file}: {len(content):,} bytes")


@space.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--message", default="", help="What the commit says.")
@click.pass_obj
def import_(remote: Remote, name: str, file: Path, message: str) -> None:
    """Take the files of a zip FILE into a space, or into a new one, as one commit."""
    data = base64.b64encode(file.read_bytes()).decode()
    _tell(_ask(remote, "import", space=name, data=data, message=message))


def _ask(remote: Remote, method: str, **arguments: Any) -> Any:
    return remote.call(f"{ACTOR}/{method}", arguments)


def _tell(done: dict[str, Any]) -> None:
    for name in done["changed"]:
        click.echo(name)
    click.echo(f"{len(done['changed'])} files changed; the space is at {done['revision'][:12]}.")
