"""Settings as flags of commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Flags = dict[str, Any]


def settings_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags that every command with settings takes."""
    options = [
        click.option("--state", type=click.Path(path_type=Path), help="Folder of everything that is written."),
        click.option("--port", type=int, help="Port of the portal and the Agent Controller."),
        click.option("--listen", help="Address to listen on."),
        click.option("--hypervisor", type=click.Choice(["auto", "qemu", "test"]), help="Which libvirt driver to use."),
        click.option("--mongodb-uri", help="A MongoDB replica set to use instead of an embedded one."),
        click.option(
            "--content", multiple=True, type=click.Path(path_type=Path), help="Content directory; repeatable."
        ),
        click.option("--dev", is_flag=True, default=None, help="Edit pages in place; take changed macros, actors."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def given(flags: Flags) -> Flags:
    """Return the flags that were given on the command line."""
    return {
        name: list(value) if name == "content" else value for name, value in flags.items() if value not in {None, ()}
    }
