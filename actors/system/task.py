"""Asynchronous calls: their outcome, their list, and their early end."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from portalfw.rest import Actor, Arg, Columns, Listing, method
from portalfw.rest.task_record import Task as TaskDocument
from portalfw.rest.task_record import TaskStatus
from portalfw.rest.tasks import Tasks

FIELDS = ("user", "call", "started", "finished", "ok")
TASKS = Columns(
    TaskDocument,
    *FIELDS,
    times=("started", "finished"),
    search=("guid", "user", "call"),
    sort="-started",
    limit=50,
    most=500,
    guid="_id",
)


class TaskRow(TypedDict):
    """One asynchronous call; times in epoch seconds, ``ok`` is null until it has ended."""

    guid: str
    user: str
    call: str
    started: float
    finished: float | None
    ok: bool | None


class Task(Actor, app="system"):
    """Calls that were made with ``_async`` and answered with a task id."""

    @method(right="guest", http=("GET", "POST"), readonly=True, live=("task:{taskguid}",))
    def get(self, taskguid: Annotated[str, Arg("Task")]) -> list[Any]:
        """Return ``[true, answer]``, ``[false, message]``, or ``[]`` while the call is under way.

        Only who started it, and administrators, may ask; outcomes are kept for ten minutes.
        """
        return self.service(Tasks).outcome(taskguid, self.call.principal)

    @method(right="guest", http=("GET", "POST"), readonly=True, live=("task:{taskguid}",))
    def status(
        self,
        taskguid: Annotated[str, Arg("Task")],
        since: Annotated[int, Arg("Since", help="Only steps of a later revision; 0 for all.")] = 0,
        wait: Annotated[float, Arg("Wait", help="Seconds to wait for news, 30 at most.")] = 0.0,
    ) -> TaskStatus:
        """Return how far a call is: its steps, when it began and ended, and its answer or error.

        Only who started it, and administrators, may ask. The same arrives as events of the name ``task`` from
        ``/events?topics=task:<guid>``, without the answer.
        """
        return self.service(Tasks).status(taskguid, self.call.principal, since, wait)

    @method(right="login", destructive=True)
    def kill(self, taskguid: Annotated[str, Arg("Task")]) -> bool:
        """End a call early, and tell whether it has let go by now; its outcome then says who ended it."""
        return self.service(Tasks).kill(taskguid, self.call.principal)

    @method(right="login", http=("GET", "POST"), readonly=True, live=("task",), title="List tasks")
    def list_(self, listing: Annotated[Listing, TASKS]) -> list[TaskRow]:
        """Return the newest calls first: one's own, an administrator everybody's."""
        principal = self.call.principal
        query = {} if principal.is_admin else {"user": principal.name}
        rows = listing.of(TaskDocument, query, fields=FIELDS)
        return rows.answered(_answer(row) for row in rows)


def _answer(row: dict[str, Any]) -> TaskRow:
    return {
        "guid": row["id"],
        "user": row["user"],
        "call": row["call"],
        "started": row["started"],
        "finished": row.get("finished"),
        "ok": row.get("ok"),
    }
