"""The ``portalfw`` command."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

import portalfw
from portalfw.cli.agent import agent
from portalfw.cli.api import api, client
from portalfw.cli.flags import given, settings_options
from portalfw.cli.health import health
from portalfw.cli.job import job
from portalfw.cli.jumpscript import jumpscript
from portalfw.cli.new import new
from portalfw.cli.node import node
from portalfw.cli.pki import pki
from portalfw.cli.remote import NoSuchMethodError
from portalfw.cli.schedule import schedule
from portalfw.cli.space import space
from portalfw.errors import PortalError
from portalfw.settings import load_settings
from portalfw.settings_shown import shown_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(portalfw.__version__)
def cli() -> None:
    """Run and operate a private cloud whose portals are wiki pages."""


@cli.command()
@settings_options
def up(**flags: Any) -> None:
    """Run the whole product here: database, portal, Agent Controller and one local agent."""
    from portalfw.cli.up import run

    run(load_settings(**given(flags)), with_agent=True)


@cli.command()
@settings_options
def master(**flags: Any) -> None:
    """Run the portal and the Agent Controller; agents come from elsewhere."""
    from portalfw.cli.up import run

    run(load_settings(**given(flags)), with_agent=False)


@cli.command("settings")
@settings_options
def show_settings(**flags: Any) -> None:
    """Show every setting in force, and where it comes from."""
    table = Table("Setting", "Value", "From", "Meaning", box=None, pad_edge=False)
    for row in shown_settings(load_settings(**given(flags))):
        table.add_row(row["name"], row["value"], row["origin"], row["meaning"])
    Console().print(table)


@cli.group()
def token() -> None:
    """Manage API tokens."""


@token.command("create")
@settings_options
@click.option("--user", required=True, help="User for whom the token speaks.")
@click.option("--name", default="", help="What it is for.")
@click.option("--expires", help="How long it lives: 30d, 12h, 90m or 2w; for ever if not given.")
@click.option("--read-only", is_flag=True, help="It may only call methods that change nothing.")
@click.option("--app", multiple=True, help="App whose methods it may call, such as cloudapi; repeatable.")
def create_token(
    user: str, name: str, expires: str | None, read_only: bool, app: tuple[str, ...], **flags: Any
) -> None:
    """Create an API token and print it; it cannot be shown again."""
    from portalfw.auth.tokens import Scope
    from portalfw.auth.tokens import create_token as create
    from portalfw.cli.database import opened

    scope = Scope(frozenset(app) or None, read_only)
    with opened(load_settings(**given(flags))):
        click.echo(create(user, name, expires=expires, scope=scope))


cli.add_command(agent)
cli.add_command(api)
cli.add_command(client)
cli.add_command(health)
cli.add_command(job)
cli.add_command(jumpscript)
cli.add_command(new)
cli.add_command(node)
cli.add_command(pki)
cli.add_command(schedule)
cli.add_command(space)


def main() -> None:
    """Run the command; a failure that a person can mend is one line and exit status 1, or 2 for wrong usage."""
    try:
        cli(prog_name="portalfw")
    except PortalError as error:
        click.echo(f"portalfw: {error.message}", err=True)
        sys.exit(2 if isinstance(error, NoSuchMethodError) else 1)
