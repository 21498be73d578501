"""Groups of commands that ask a running portal."""

from __future__ import annotations

from collections.abc import Callable

import click

from portalfw.cli.api import remote_options
from portalfw.cli.remote import Remote


def remote_group(function: Callable[[], None]) -> click.Group:
    """Make a group of what a function is called, with its docstring as help; its commands are given a Remote."""

    @click.group(name=function.__name__, help=function.__doc__)
    @remote_options
    @click.pass_context
    def group(ctx: click.Context, url: str, token: str | None) -> None:
        ctx.obj = Remote(url, token)

    return group
