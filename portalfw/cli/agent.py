"""``portalfw agent``: the agent of this node, in the foreground or as a service of systemd."""

from __future__ import annotations

import os
from typing import Any

import click

from portalfw.cli.agent_service import install, uninstall
from portalfw.cli.flags import given, settings_options
from portalfw.settings import load_settings


@click.group(invoke_without_command=True)
@settings_options
@click.option("--controller", multiple=True, help="Address of a controller: https, or http to loopback; repeatable.")
@click.option("--join-token", help="One-time token with which this node enters.")
@click.option("--ca-pin", help="Pin of the portal's private authority, if the token does not carry it.")
@click.pass_context
def agent(ctx: click.Context, /, **flags: Any) -> None:
    """Run the agent of this node in the foreground, or install it as a service."""
    if ctx.invoked_subcommand is not None:
        return
    from portalfw.cli.local_agent import agent_command

    settings = load_settings(**given(flags | {"controller": ",".join(flags["controller"]) or None}))
    command, environment = agent_command(settings)
    os.execve(command[0], command, {**os.environ, **environment})  # noqa: S606 - the agent takes this process's place


agent.add_command(install)
agent.add_command(uninstall)
