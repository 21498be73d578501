"""``portalfw api``: the methods of a running portal as commands, made from its OpenAPI document."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from portalfw.cli.follow import follow
from portalfw.cli.remote import NoSuchMethodError, Operation, Remote, RemoteError
from portalfw.cli.words import kebab, snake

DEFAULT_URL = "http://127.0.0.1:8200"
KEPT_LONG = 86400.0  # seconds; what the shell completes may be a day old
QUICK = 2.0  # seconds that completion may take to ask
TYPES = {"integer": click.INT, "number": click.FLOAT, "string": click.STRING}


def json_value(text: str) -> Any:
    """Return the value that a text stands for.

    :raises click.BadParameter: if it is no JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"is not JSON: {error}") from error


def remote_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which portal is asked, and as whom."""
    function = click.option("--token", envvar="PORTALFW_TOKEN", help="API token; better in PORTALFW_TOKEN.")(function)
    return click.option(
        "--url", envvar="PORTALFW_URL", default=DEFAULT_URL, show_default=True, help="The portal, or PORTALFW_URL."
    )(function)


class Names(click.Group):
    """Names that the portal gave; who has no token is shown few of them, and told so."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant.

        :raises NoSuchMethodError: if there is none, and a token might change that.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if _remote(ctx).token or ctx.resilient_parsing:
                raise
            hint = "without a token the portal shows open methods only, set PORTALFW_TOKEN"
            raise NoSuchMethodError(f"{error.format_message().rstrip('.')}; {hint}.") from error


class Apps(Names):
    """The apps of the portal that ``--url`` names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the apps."""
        return sorted({one.app for one in operations(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the group of an app's actors."""
        found = [one for one in operations(ctx) if one.app == cmd_name]
        return _group(cmd_name, found, "Actors of the app.", _actors) if found else None


def operations(ctx: click.Context) -> list[Operation]:
    """Return the portal's methods; while the shell completes, quickly or not at all."""
    remote = _remote(ctx)
    if not ctx.resilient_parsing:
        return remote.operations()
    try:
        return remote.operations(within=KEPT_LONG, timeout=QUICK)
    except RemoteError:
        return []


def _remote(ctx: click.Context) -> Remote:
    given = next((one.params for one in _upwards(ctx) if "url" in one.params), {})  # help is shown before they are read
    url = given.get("url") or os.environ.get("PORTALFW_URL") or DEFAULT_URL
    return Remote(url, given.get("token") or os.environ.get("PORTALFW_TOKEN"))


def _upwards(ctx: click.Context | None) -> Iterable[click.Context]:
    while ctx is not None:
        yield ctx
        ctx = ctx.parent


def _group(
    name: str, found: list[Operation], text: str, commands: Callable[[list[Operation]], list[click.Command]]
) -> click.Group:
    return Names(name, {one.name or "": one for one in commands(found)}, help=text)


def _actors(found: list[Operation]) -> list[click.Command]:
    names = sorted({one.actor for one in found})
    return [_group(name, [one for one in found if one.actor == name], "Its methods.", _methods) for name in names]


def _methods(found: list[Operation]) -> list[click.Command]:
    return [_command(one) for one in found]


def _command(operation: Operation) -> click.Command:
    def run(**given: Any) -> None:
        if operation.destructive and not given.pop("yes__"):
            click.confirm(f"{operation.summary}: {operation.description.splitlines()[0]} Go on?", abort=True, err=True)
        arguments = {wire: given[f"{snake(wire)}_"] for wire in operation.properties}
        arguments = {wire: value for wire, value in arguments.items() if value is not None and value != ()}
        remote = _remote(click.get_current_context())
        if given.get("progress__"):
            answer = follow(remote, operation.address, arguments, lambda line: click.echo(line, err=True))
        else:
            answer = remote.call(operation.address, arguments)
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))

    options: list[click.Parameter] = [_option(operation, wire) for wire in operation.properties]
    if operation.destructive:
        options.append(click.Option(["--yes", "yes__"], is_flag=True, help="Do not ask."))
    if "progress" not in operation.properties:
        options.append(click.Option(["--progress", "progress__"], is_flag=True, help="Show the steps of a long call."))
    return click.Command(operation.name, params=options, callback=run, help=operation.description or operation.summary)


def _option(operation: Operation, wire: str) -> click.Option:
    schema = operation.properties[wire]
    plain = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    names = [f"--{kebab(wire)}", f"{snake(wire)}_"]
    if wire.lower() != wire:
        names.insert(1, f"--{wire}")
    required = wire in operation.required
    text = str(schema.get("description") or schema.get("title") or "")
    default = schema.get("default")
    if default and not isinstance(default, bool):
        text = f"{text} [default: {default}]".strip()
    kind = plain.get("type")
    if kind == "boolean":
        names[:-1] = [f"{name}/--no-{name.removeprefix('--')}" for name in names[:-1]]
        return click.Option(names, required=required, default=None, help=text)
    if schema.get("format") == "password":
        return click.Option(names, prompt=schema["title"] if required else False, hide_input=True, help=text)
    if kind == "array":
        return click.Option(names, multiple=True, type=_type(plain.get("items", {})), required=required, help=text)
    return click.Option(names, type=_type(plain), required=required, help=text)


def _type(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return click.Choice(schema["enum"])
    return TYPES.get(str(schema.get("type")), json_value)


@click.group("api", cls=Apps)
@remote_options
def api(url: str, token: str | None) -> None:
    """Call a method of a running portal: portalfw api cloudapi machines start --machine-id 3.

    Apps, actors, methods and their options are those of the portal itself. The answer is printed as JSON.

    Exit status: 0 after an answer; 1 if the portal refused the call, failed, or is not there; 2 if the call could not
    be made at all, for an unknown method or a missing or malformed option.
    """
    del url, token  # the commands below read them from the context


@click.command("client")
@remote_options
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; printed if not given.")
def client(url: str, token: str | None, output: Path | None) -> None:
    """Write a typed Python client of a running portal as one file, which needs nothing but requests."""
    from portalfw.cli.client_file import client_file

    remote = Remote(url, token)
    text = client_file(remote.operations(within=0), remote.document()["components"]["schemas"])
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise RemoteError(f"{output} cannot be written: {error.strerror}.") from error
