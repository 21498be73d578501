"""What runs again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic

from portalfw.dal.job import J
from portalfw.dal.link import Link
from portalfw.dal.results import Occurrence, ScheduleInfo, shaped
from portalfw.errors import NotFoundError

ACTOR: Final = "system/schedules"


class Schedules(Generic[J]):
    """The schedules of an installation; docs/grid.md says what each argument means."""

    def __init__(self, link: Link, kind: type[J]) -> None:
        """Ask by this way; jobs are pointed at by handles of a kind."""
        self._link, self._kind = link, kind

    def list(self) -> list[ScheduleInfo]:
        """Return all schedules, those of scripts and those that somebody made."""
        return [shaped(ScheduleInfo, row) for row in self._link.call(f"{ACTOR}/list", limit=0)]

    def get(self, schedule: int | str) -> ScheduleInfo:
        """Return one schedule by its id or its name; raises NotFoundError."""
        if isinstance(schedule, int):
            return shaped(ScheduleInfo, self._link.call(f"{ACTOR}/get", scheduleId=schedule))
        found = self._link.call(f"{ACTOR}/list", filter={"name": f"={schedule}"})
        if not found:
            raise NotFoundError(f"Schedule {schedule} does not exist.")
        return shaped(ScheduleInfo, found[0])

    def create(
        self,
        name: str,
        script: str,
        when: str = "",
        *,
        roles: Sequence[str] = (),
        args: Mapping[str, Any] | None = None,
        at_boot: bool = False,
        **more: Any,
    ) -> ScheduleInfo:
        """Have a script run again and again, from now on.

        Args:
            name: what it is called.
            script: ``category/name``.
            when: seconds, or a cron expression in UTC.
            roles: a node must have all of them.
            args: what ``action`` is called with.
            at_boot: also on each node that has just booted.
            **more: ``gid``, ``on``, ``jitter``, ``overlap``, ``batch``, ``priority``, ``timeout``, ``grace``.

        Raises:
            ConflictError: there is one of this name.
            InvalidError: naming the argument that is wrong.

        """
        given = {"roles": [*roles], "args": dict(args or {}), "atBoot": at_boot, **more}
        return self.get(int(self._link.call(f"{ACTOR}/create", name=name, script=script, when=when, **given)))

    def update(self, schedule: int, *, at_boot: bool | None = None, **changes: Any) -> ScheduleInfo:
        """Change what is given of a schedule, by the names of :meth:`create`."""
        self._link.call(f"{ACTOR}/update", scheduleId=schedule, atBoot=at_boot, **changes)
        return self.get(schedule)

    def enable(self, schedule: int) -> None:
        """Let a schedule run."""
        self._link.call(f"{ACTOR}/enable", scheduleId=schedule)

    def disable(self, schedule: int) -> None:
        """Have a schedule rest; a run that goes on is not ended."""
        self._link.call(f"{ACTOR}/disable", scheduleId=schedule)

    def run(self, schedule: int) -> J:
        """Run a schedule once now, besides its own times, and return the job."""
        return self._kind(self._link, int(self._link.call(f"{ACTOR}/runNow", scheduleId=schedule)))

    def delete(self, schedule: int) -> None:
        """Delete a schedule that somebody made; raises ConflictError for one of a script's header."""
        self._link.call(f"{ACTOR}/delete", scheduleId=schedule)

    def runs(self, schedule: int | None = None, limit: int = 50) -> Sequence[Occurrence]:
        """Return what became of the newest occurrences, of one schedule if given."""
        rows = self._link.call(f"{ACTOR}/listRuns", scheduleId=schedule, limit=limit)
        return [shaped(Occurrence, row) for row in rows]
