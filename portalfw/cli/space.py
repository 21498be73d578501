"""``portalfw space``: the spaces of a running portal, their git remotes, and zip files of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from portalfw.cli.remote import Remote
from portalfw.cli.remote_group import remote_group
from portalfw.cli.shown import json_option, print_rows

ACTOR = "system/spaces"


@remote_group
def space() -> None:
    """Show, exchange, export, import, delete and restore the spaces of a running portal."""


@space.command("list")
@click.option("--deleted", is_flag=True, help="Those that you may restore.")
@json_option
@click.pass_obj
def list_spaces(remote: Remote, *, deleted: bool, as_json: bool) -> None:
    """List the spaces that you may read."""
    last = ("By", "by") if deleted else ("Pages", "pages")
    rows = _ask(remote, "deleted" if deleted else "list")
    print_rows(rows, {"Space": "name", "Title": "title", last[0]: last[1]}, as_json=as_json)


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


@space.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for the name once more.")
@click.pass_obj
def delete(remote: Remote, name: str, *, yes: bool) -> None:
    """Serve a space no more; restore brings it back with its history, until somebody purges it."""
    _sure(name, yes=yes)
    _ask(remote, "delete", space=name)
    click.echo(f"{name} is deleted; portalfw space restore {name} brings it back.")


@space.command()
@click.argument("name")
@click.pass_obj
def restore(remote: Remote, name: str) -> None:
    """Serve a deleted space again, as it was."""
    _ask(remote, "restore", space=name)
    click.echo(f"{name} is back.")


@space.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for the name once more.")
@click.pass_obj
def purge(remote: Remote, name: str, *, yes: bool) -> None:
    """Forget a deleted space for ever, with its history."""
    _sure(name, yes=yes)
    _ask(remote, "purge", space=name)
    click.echo(f"{name} is gone.")


def _sure(name: str, *, yes: bool) -> None:
    if not yes and click.prompt(f"Type {name} to go on", default="", show_default=False) != name:
        raise click.ClickException("That is not its name; nothing was done.")


def _ask(remote: Remote, method: str, **arguments: Any) -> Any:
    return remote.call(f"{ACTOR}/{method}", arguments)


def _tell(done: dict[str, Any]) -> None:
    for name in done["changed"]:
        click.echo(name)
    click.echo(f"{len(done['changed'])} files changed; the space is at {done['revision'][:12]}.")
