"""Arguments of scripts on the command line."""

from __future__ import annotations

import json
from typing import Any

import click

argument_option = click.option(
    "--arg", "given", multiple=True, metavar="NAME=VALUE", help="An argument: JSON, or else a text; repeatable."
)


def named_arguments(given: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments of ``--arg NAME=VALUE`` by name; raises click.BadParameter."""
    return dict(_argument(one) for one in given)


def _argument(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="--arg")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
