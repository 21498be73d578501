"""``portalfw api … --progress``: what a long call does, on stderr, while its answer is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from portalfw.cli.remote import Remote, RemoteError

WAIT: Final = 20.0  # seconds that one question for news waits at the portal


def follow(remote: Remote, address: str, arguments: dict[str, Any], tell: Callable[[str], object]) -> Any:
    """Call a method and return its answer; ``tell`` each step of one that takes a while, as a line.

    :raises RemoteError: with the portal's own words; where the connection is lost, with the id of the task.
    """
    answer, task = remote.begin(address, arguments)
    if task is None:
        return answer
    tell(f"task {task}")
    revision = 0
    while True:
        status = _status(remote, task, revision)
        for step in status["steps"]:
            tell(line(step))
        revision = status["revision"]
        if status["finished"] is not None:
            break
    error = status["error"]
    if error is not None:
        raise RemoteError(f"{error['message']} ({error['error']}, id {error['id']})")
    return status["answer"]


def line(step: dict[str, Any]) -> str:
    """Return a step as a line; what a job says stands further in, since it lies beneath a step."""
    amount = ""
    if step["done"] is not None:
        amount = f" {step['done']:g}" + (f" of {step['total']:g}" if step["total"] else "")
        amount = f" {step['done']:.0f} %" if step["total"] == 100 else amount  # noqa: PLR2004 - a percentage
    return f"{'' if step['level'] == 'step' else '    '}{step['text']}{amount}"


def _status(remote: Remote, task: str, revision: int) -> dict[str, Any]:
    try:
        found: dict[str, Any] = remote.call("system/task/status", {"taskguid": task, "since": revision, "wait": WAIT})
    except RemoteError as error:
        raise RemoteError(
            f"{error.message} The call may go on: portalfw api system task status --taskguid {task}"
        ) from error
    return found
