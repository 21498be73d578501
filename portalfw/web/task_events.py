"""What an event stream tells of asynchronous calls: only to who may see them, and each step once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, PortalError
from portalfw.events import Change
from portalfw.rest.task_record import check_visible, status_of
from portalfw.rest.tasks import Tasks

COLLECTION = "task"


class TaskEvents:
    """The tasks that one stream follows, and up to which revision each has been told."""

    def __init__(self, tasks: Tasks, asker: Principal, topics: Iterable[str]) -> None:
        """Follow those of ``topics`` that name one task."""
        self._tasks = tasks
        self._asker = asker
        names = (topic.partition(":") for topic in topics)
        self._told = {identity: 0 for name, _, identity in names if name == COLLECTION and identity}
        self._open = set(self._told)

    def first(self) -> Iterator[bytes]:
        """Yield how far each task is now; of one that is gone or somebody else's, that nothing will be told."""
        for identity in list(self._told):
            try:
                yield self._event(self._tasks.row(identity, self._asker))
            except PortalError as error:
                del self._told[identity]
                self._open.discard(identity)
                data = {"topic": f"{COLLECTION}:{identity}", "error": error.code, "message": error.message}
                yield _sent("refused", data)

    def of(self, changes: Iterable[Change]) -> Iterator[bytes]:
        """Yield what has happened to the followed tasks."""
        newest = {change.id: change.row for change in changes if change.collection == COLLECTION and change.row}
        for identity, row in newest.items():
            if identity in self._told:
                yield self._event(row)

    def look(self) -> None:
        """Find those whose process is gone, which nobody else may notice; their end is then told as a change."""
        for identity in list(self._open):
            try:
                self._tasks.row(identity, self._asker)
            except PortalError:  # it is gone, and so is who might care
                self._open.discard(identity)

    def may_hear(self, change: Change) -> bool:
        """Tell whether the viewer may know of a change: of others' tasks not even that they exist."""
        if change.collection != COLLECTION:
            return True
        try:
            check_visible(change.row or {"_id": change.id, "user": None, "scope": None}, self._asker)
        except ForbiddenError:
            return False
        return True

    def _event(self, row: dict[str, Any]) -> bytes:
        status = status_of(row, self._asker, self._told[row["_id"]])
        self._told[row["_id"]] = status["revision"]
        if status["finished"] is not None:
            self._open.discard(row["_id"])
        return _sent(COLLECTION, {name: value for name, value in status.items() if name != "answer"})


def _sent(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data))
