"""``portalfw schedule``: what runs again and again on the nodes of a running portal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import click

from portalfw.cli.named import argument_option, named_arguments
from portalfw.cli.remote import Remote, RemoteError
from portalfw.cli.remote_group import remote_group
from portalfw.cli.shown import Cells, json_option, moment, print_fields, print_json, print_rows, print_table
from portalfw.cli.tail import tail

ACTOR: Final = "system/schedules"
COLUMNS: Final[Cells] = {
    "Schedule": "id",
    "Name": "name",
    "Script": "script",
    "When": lambda row: " ".join([row["when"], *(["at boot"] if row["at_boot"] else [])]).strip(),
    "Roles": "roles",
    "On": "on",
    "Next (UTC)": lambda row: moment(row["due"]) if row["enabled"] else "off",
    "From": "origin",
}
RUNS: Final[Cells] = {
    "Due (UTC)": lambda row: moment(row["due"]),
    "Became": "status",
    "Times": "count",
    "Job": "job",
    "Reason": "reason",
}
NEWEST: Final = 10  # occurrences that are shown with a schedule


@remote_group
def schedule() -> None:
    """List, make, change, run and delete what runs again and again on a running portal.

    SCHEDULE is an id or a name.
    """


@schedule.command("list")
@click.option("--search", default="", help="Words of the name, the script or the roles.")
@json_option
@click.pass_obj
def list_schedules(remote: Remote, search: str, *, as_json: bool) -> None:
    """List all schedules."""
    print_rows(remote.call(f"{ACTOR}/list", {"search": search, "limit": 0}), COLUMNS, as_json=as_json)


@schedule.command()
@click.argument("schedule")
@json_option
@click.pass_obj
def show(remote: Remote, schedule: str, *, as_json: bool) -> None:
    """Show one schedule, and what became of its newest occurrences."""
    found = _find(remote, schedule)
    runs = remote.call(f"{ACTOR}/listRuns", {"scheduleId": found["id"], "limit": NEWEST})
    if as_json:
        print_json({**found, "runs": runs})
        return
    shown = {name.replace("_", " ").capitalize(): value for name, value in found.items() if not name.startswith("last")}
    print_fields({**shown, "Due": moment(found["due"])})
    if runs:
        print_table(runs, RUNS)


def _fields(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a schedule is; they are the same when it is made and changed."""
    options = [
        click.option("--when", help="Seconds, or cron in UTC: five fields, or six with the seconds first."),
        click.option("--role", "roles", multiple=True, help="A node must have it; repeatable."),
        click.option("--gid", type=int, help="Only nodes of this grid."),
        click.option("--on", type=click.Choice(["all", "any"]), help="All such nodes that are there, or any one."),
        argument_option,
        click.option("--at-boot/--not-at-boot", default=None, help="Also on each node that has just booted."),
        click.option("--jitter", type=float, help="Begin up to so many seconds later, by chance."),
        click.option("--overlap", type=click.Choice(["skip", "queue", "parallel"]), help="While the last one goes on."),
        click.option("--batch", type=int, help="Nodes that have their turn together; 0 is all."),
        click.option("--priority", type=int, help="Higher goes first; 0 is usual."),
        click.option("--timeout", type=float, help="Seconds that it may run; by default what the script says."),
        click.option("--grace", type=float, help="Seconds by which it may be late and still runs."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@schedule.command()
@click.argument("name")
@click.argument("script")
@_fields
@click.pass_obj
def create(remote: Remote, /, name: str, script: str, given: tuple[str, ...], **fields: Any) -> None:
    """Have SCRIPT (category/name) run again and again, and print the id of the schedule."""
    asked = {"name": name, "script": script, **_asked(given, fields)}
    click.echo(remote.call(f"{ACTOR}/create", asked))


@schedule.command()
@click.argument("schedule")
@click.option("--name", help="Another name.")
@_fields
@click.pass_obj
def update(remote: Remote, /, schedule: str, given: tuple[str, ...], **fields: Any) -> None:
    """Change what is given of a schedule, from now on; --arg replaces all its arguments."""
    asked = _asked(given, fields)
    if not asked:
        raise click.UsageError("Nothing is to be changed; see --help.")
    found = _find(remote, schedule)
    remote.call(f"{ACTOR}/update", {"scheduleId": found["id"], **asked})
    click.echo(f"Schedule {found['id']} ({found['name']}) is changed.")


def _step(name: str, text: str, done: str, *, sure: bool = False) -> None:
    """Add a command that does one thing to a schedule."""

    def step(remote: Remote, schedule: str) -> None:
        found = _find(remote, schedule)
        remote.call(f"{ACTOR}/{name}", {"scheduleId": found["id"]})
        click.echo(f"Schedule {found['id']} ({found['name']}) {done}.")

    command = click.argument("schedule")(click.pass_obj(step))
    if sure:
        command = click.confirmation_option(prompt="It is gone for good then. Go on?")(command)
    schedule.command(name, help=text)(command)


_step("enable", "Let a schedule run.", "is enabled")
_step("disable", "Have a schedule rest; a run that goes on is not ended.", "is disabled")
_step("delete", "Delete a schedule that somebody made.", "is deleted", sure=True)


@schedule.command()
@click.argument("schedule")
@click.option("--follow", is_flag=True, help="Print what the job says until it ends.")
@click.pass_obj
def run(remote: Remote, schedule: str, *, follow: bool) -> None:
    """Run a schedule once now, whether it is enabled or not."""
    job = remote.call(f"{ACTOR}/runNow", {"scheduleId": _find(remote, schedule)["id"]})
    click.echo(f"Job {job}", err=follow)
    if follow:
        sys.exit(tail(remote, job))


def _find(remote: Remote, schedule: str) -> dict[str, Any]:
    if schedule.isdecimal():
        return dict(remote.call(f"{ACTOR}/get", {"scheduleId": int(schedule)}))
    rows = remote.call(f"{ACTOR}/list", {"filter": {"name": f"={schedule}"}})
    if not rows:
        raise RemoteError(f"There is no schedule {schedule}; portalfw schedule list shows all.")
    return dict(rows[0])


def _asked(given: tuple[str, ...], fields: dict[str, Any]) -> dict[str, Any]:
    """Return what was given, by wire name."""
    wanted = {**fields, "roles": list(fields["roles"]) or None, "args": named_arguments(given) or None}
    wanted["atBoot"] = wanted.pop("at_boot")
    return {name: value for name, value in wanted.items() if value is not None}
