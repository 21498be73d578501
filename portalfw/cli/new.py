"""``portalfw new``: begin a space, a macro, an actor or a JumpScript with a working example and its test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from portalfw.settings import REPOSITORY

if TYPE_CHECKING:
    from portalfw.skeletons.new_content import Kind, Written

WHERE: Final = click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The content directory, made if it is not there; by default the folder you are in.",
)


@click.group()
def new() -> None:
    """Begin a space, macro, actor or JumpScript of your own: a working example and its test."""


@new.command()
@click.argument("name")
@WHERE
def space(name: str, into: Path) -> None:
    """Write a space of three pages."""
    _write("space", name, into)


@new.command()
@click.argument("name")
@WHERE
def macro(name: str, into: Path) -> None:
    """Write a macro with its template and its example for the reference."""
    _write("macro", name, into)


@new.command()
@click.argument("name", metavar="APP/ACTOR")
@WHERE
def actor(name: str, into: Path) -> None:
    """Write an actor with a document of its own, which lists, creates and deletes."""
    _write("actor", name, into)


@new.command()
@click.argument("name", metavar="CATEGORY/SCRIPT")
@WHERE
def jumpscript(name: str, into: Path) -> None:
    """Write a JumpScript that tells how full a node's file system is."""
    _write("jumpscript", name, into)


def _write(kind: Kind, name: str, into: Path) -> None:
    # Half of what the command line would import otherwise, whatever the command.
    from portalfw.skeletons.new_content import write_new

    written = write_new(kind, name, into)
    for path in written.files:
        click.echo(f"wrote {written.folder / path}")
    click.echo(f"Serve it: portalfw up --content {REPOSITORY} --content {written.folder}")
    click.echo(f'or set:   content = ["{REPOSITORY}", "{written.folder.absolute()}"]')
    click.echo(f"Test it:  pytest {written.folder / 'tests'}")
    click.echo(_try(kind, written))


def _try(kind: Kind, written: Written) -> str:
    """Say where the new thing is seen once it is served."""
    app, name = written.app, written.name
    return {
        "space": f"Then open /{name}",
        "macro": f"Then open /docs/Macro?name={name}, or write {{{{{name}}}}} in a page",
        "actor": f"Then open /system/API Method?address={app}/{name}/list",
        "jumpscript": f"Then open /grid/JumpScript?name={app}/{name}",
    }[kind]
