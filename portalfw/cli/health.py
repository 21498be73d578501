"""``portalfw health``: what a running portal and its nodes find of themselves."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from portalfw.cli.api import remote_options
from portalfw.cli.remote import Remote
from portalfw.cli.shown import Cells, duration, json_option, moment, print_json, print_table

ACTOR: Final = "system/health"
STATES: Final = ("OK", "WARNING", "ERROR", "SKIPPED", "MISSED")
COLUMNS: Final[Cells] = {
    "State": lambda row: f"{row['state']} (muted)" if row["muted"] else row["state"],
    "Finding": "message",
    "Id": "id",
    "Node": "node",
    "Since (UTC)": lambda row: moment(row["changed"]),
}
CHECKS: Final[Cells] = {
    "Check": "name",
    "On": lambda row: "nodes" if row["on_nodes"] else "platform",
    "Every": lambda row: duration(row["interval"]) if row["scheduled"] else "off",
    "What": "title",
}


@click.group()
@remote_options
@click.pass_context
def health(ctx: click.Context, url: str, token: str | None) -> None:
    """Read, repeat and mute the health checks of a running portal and its nodes."""
    ctx.obj = Remote(url, token)


@health.command("list")
@click.option("--node", type=int, help="Only what is found of this node.")
@click.option("--category", help="Only this category.")
@click.option("--state", type=click.Choice(STATES), help="Only what is in this state.")
@json_option
@click.pass_obj
def list_findings(remote: Remote, *, node: int | None, category: str | None, state: str | None, as_json: bool) -> None:
    """List what was found, the worst first; exit with 1 if something is an ERROR that is not muted."""
    asked = {"nodeId": node, "category": category, "state": state, "limit": 500}
    _print(remote.call(f"{ACTOR}/getDetailedStatus", _given(asked)), as_json=as_json)


@health.command()
@json_option
@click.pass_obj
def checks(remote: Remote, *, as_json: bool) -> None:
    """List all checks, and how often they run."""
    rows = remote.call(f"{ACTOR}/listChecks", {})
    print_json(rows) if as_json else print_table(rows, CHECKS)


@health.command()
@click.argument("check")
@click.option("--node", type=int, help="Where to run it, if it is one of nodes.")
@json_option
@click.pass_obj
def run(remote: Remote, check: str, *, node: int | None, as_json: bool) -> None:
    """Run one check now and print what it found; exit with 1 if something is an ERROR that is not muted."""
    _print(remote.call(f"{ACTOR}/refreshCommand", _given({"cmd": check, "nodeId": node})), as_json=as_json)


@health.command()
@click.argument("finding")
@click.option("--reason", required=True, help="Shown beside it.")
@click.option("--hours", default=24.0, show_default=True, help="For how long.")
@click.pass_obj
def mute(remote: Remote, finding: str, *, reason: str, hours: float) -> None:
    """Let a finding, named by its id, neither count nor raise alerts for some time."""
    remote.call(f"{ACTOR}/mute", {"finding": finding, "reason": reason, "hours": hours})


@health.command()
@click.argument("finding")
@click.pass_obj
def unmute(remote: Remote, finding: str) -> None:
    """Let a finding count again."""
    remote.call(f"{ACTOR}/unmute", {"finding": finding})


def _print(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    print_json(rows) if as_json else print_table(rows, COLUMNS)
    sys.exit(any(row["state"] == "ERROR" and not row["muted"] for row in rows))


def _given(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}
