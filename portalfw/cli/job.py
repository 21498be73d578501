"""``portalfw job``: the jobs of a running portal."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from agent.protocol import JobState
from portalfw.cli.remote import Remote
from portalfw.cli.remote_group import remote_group
from portalfw.cli.shown import Cells, duration, json_option, moment, print_fields, print_json, print_rows, print_table
from portalfw.cli.tail import tail as tail_job

ACTOR: Final = "system/gridmanager"
STATES: Final = (*(state.value for state in JobState), "OPEN", "FAILED")
"""Where a job may be; OPEN is any before the end, FAILED any that ended neither well nor by somebody's wish."""
COLUMNS: Final[Cells] = {
    "Job": "id",
    "Script": "script",
    "State": "status",
    "Node": "node",
    "By": "submitted_by",
    "Created (UTC)": lambda row: moment(row["created"]),
    "Took": lambda row: duration(row["seconds"]),
    "Reason": "reason",
}


@remote_group
def job() -> None:
    """List, read, follow, cancel and repeat the jobs of a running portal."""


@job.command("list")
@click.option("--node", type=int, help="Only those of this node.")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--script", help="Only those of this JumpScript, category/name.")
@click.option("--parent", type=int, help="Only the children of this fan-out.")
@click.option("--children", is_flag=True, help="The children of all fan-outs too.")
@click.option("--limit", default=20, show_default=True, help="How many, the newest first.")
@json_option
@click.pass_obj
def list_jobs(
    remote: Remote,
    *,
    node: int | None,
    state: str | None,
    script: str | None,
    parent: int | None,
    children: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, the newest first."""
    asked = {"nodeId": node, "state": state, "script": script, "parentId": parent, "limit": limit}
    whole = not children and parent is None and node is None
    rows = remote.call(f"{ACTOR}/getJobs", {**_given(asked), "whole": whole})
    print_rows(rows, COLUMNS, as_json=as_json)


@job.command()
@click.argument("job_id", type=int)
@json_option
@click.pass_obj
def show(remote: Remote, job_id: int, *, as_json: bool) -> None:
    """Show one job: how it stands, its arguments (secrets as ***), its result, and of a fan-out its first errors."""
    found = remote.call(f"{ACTOR}/getJob", {"jobId": job_id})
    if as_json:
        print_json(found)
        return
    fan = found["fan_out"]
    print_fields(
        {
            "Job": found["id"],
            "Script": found["script"],
            "State": found["status"],
            "Reason": found["reason"],
            "Node": found["node"],
            "Fan-out": found["parent"],
            "Again": f"job {found['retry_of']}" if found["retry_of"] else "",
            "By": found["submitted_by"],
            "Created": moment(found["created"]),
            "Started": moment(found["started"]),
            "Ended": moment(found["ended"]),
            "Took": duration(found["seconds"]),
            "Attempt": found["attempt"],
            "Priority": found["priority"],
            "Children": " ".join(f"{count} {state}" for state, count in fan["counts"].items()) if fan else "",
            "Not begun": (fan["total"] - fan["begun"]) if fan else None,
            "Arguments": found["args"],
            "Result": None if fan else found["result"],
            "Trace": found["traceback"],
        }
    )
    if fan and fan["errors"]:
        click.echo("First errors:")
        print_table(fan["errors"], {"Job": "job", "Node": "node", "State": "state", "Reason": "reason"})


@job.command()
@click.argument("job_id", type=int)
@click.pass_obj
def tail(remote: Remote, job_id: int) -> None:
    """Print what a job says, from its beginning, until it ends; exit with 0 if it ended as OK, else with 1."""
    sys.exit(tail_job(remote, job_id))


@job.command()
@click.argument("job_id", type=int)
@click.option("--reason", default="from the command line", show_default=True, help="Kept with the job.")
@click.pass_obj
def cancel(remote: Remote, job_id: int, reason: str) -> None:
    """Cancel a job that waits or runs; of a fan-out, all its children."""
    remote.call(f"{ACTOR}/cancelJob", {"jobId": job_id, "reason": reason})
    click.echo(f"Job {job_id} is being cancelled.")


@job.command()
@click.argument("job_id", type=int)
@click.option("--even-if-half-done", "confirmed", is_flag=True, help="Also a script that may have done half its work.")
@click.option("--follow", is_flag=True, help="Print what the new job says until it ends.")
@click.pass_obj
def retry(remote: Remote, job_id: int, *, confirmed: bool, follow: bool) -> None:
    """Run a failed job again, as a new job; of a fan-out, where it failed."""
    new = remote.call(f"{ACTOR}/retryJob", {"jobId": job_id, "confirmed": confirmed})
    click.echo(f"Job {new}", err=follow)
    if follow:
        sys.exit(tail_job(remote, new))


def _given(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}
