"""Printing what a job says while it runs."""

from __future__ import annotations

from typing import Any, Final

import click

from portalfw.cli.remote import Remote, RemoteError

WAIT: Final = 20.0
"""Seconds that one question for news waits at the portal."""

PATIENCE: Final = 5
"""Questions in a row that may find no portal; one that is restarted is back by then."""

ON_STDERR: Final = {"stderr", "warning", "error"}


def tail(remote: Remote, job_id: int) -> int:
    """Print a job's lines until it ends; return 0 if it ended as OK, else 1. How it stands is said on stderr."""
    attempt, line, said = 1, 0, ""
    while True:
        news = _news(remote, job_id, attempt, line)
        for one in news["lines"]:
            click.echo(one["text"], err=one["level"] in ON_STDERR)
        if news["attempt"] > attempt and (attempt > 1 or line):
            click.echo(f"— attempt {news['attempt']} —", err=True)
        attempt, line = news["attempt"], news["line"]
        text = f"{news['progress'].get('text', '')} {news['progress'].get('percent', 0):.0f} %"
        if news["progress"] and text != said:
            click.echo(text.strip(), err=True)
            said = text
        if news["over"]:
            click.echo(f"Job {job_id}: {news['status']}" + (f": {news['reason']}" if news["reason"] else ""), err=True)
            return 0 if news["status"] == "OK" else 1


def _news(remote: Remote, job_id: int, attempt: int, line: int) -> dict[str, Any]:
    asked = {"jobId": job_id, "attempt": attempt, "line": line, "wait": WAIT}
    for left in reversed(range(PATIENCE)):
        try:
            found: dict[str, Any] = remote.call("system/gridmanager/followJob", asked)
        except RemoteError as error:
            if not left or "does not answer" not in error.message:
                raise
        else:
            return found
    raise RemoteError(f"Job {job_id} could not be followed.")
