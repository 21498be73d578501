"""What jobs say on all nodes, for operators."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypedDict

from pydantic import Field

from actors.system.job_rows import node_names
from portalfw.controller import logbook
from portalfw.controller.logbook import Place, Wanted
from portalfw.controller.output import RANKS
from portalfw.errors import InvalidError
from portalfw.rest import Actor, Arg, method
from portalfw.rest.conditions import time_of

OPERATORS: Final = "group:level1,level2,level3"
MOST: Final = 1000  # lines in one answer
TIMES: Final = "2026-11-22T14:00, -1h, -4d, or epoch seconds."


class LogLine(TypedDict):
    """One line that a job said; ``n`` counts from 1 in its attempt."""

    id: str
    at: float  # epoch seconds, by the node's clock
    level: str  # debug, info, warning or error; stdout and stderr for what was printed
    text: str
    job_id: int
    attempt: int
    n: int
    script: str
    node_id: int | None
    node: str


class LogPage(TypedDict):
    """Some lines, the newest first; ``older`` goes on from there as ``before``, and is empty where there are none."""

    lines: list[LogLine]
    older: str
    searched: float | None  # how far back was looked, in epoch seconds; none if to the beginning


class GridLogs(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("job_output",), title="Get log lines")
    def get_logs(
        self,
        level: Annotated[
            Literal["debug", "info", "warning", "error"],
            Arg("Level", help="The least; what was printed counts as info, to stderr as warning."),
        ] = "debug",
        node_id: int | None = None,
        script: str | None = None,
        job_id: int | None = None,
        text: Annotated[str, Arg("Text", help="A part of the line, in any letter case."), Field(max_length=200)] = "",
        from_: Annotated[str, Arg("From", help=TIMES)] = "",
        to: Annotated[str, Arg("To", help=TIMES)] = "",
        *,
        before: Annotated[str, Arg("Before", help="Where to go on: what the last answer called older.")] = "",
        limit: Annotated[int, Arg("Limit", help="Lines at most."), Field(ge=1, le=MOST)] = 100,
    ) -> LogPage:
        """Return what all jobs have said, the newest line first.

        A search that takes long is answered with what was found so far, and with where to go on.
        """
        wanted = Wanted(RANKS[level], node_id, script, job_id, text, _time("from", from_), _time("to", to))
        found = logbook.newest(wanted, _place(before), limit)
        names = node_names(found.lines)
        return {
            "lines": [_line(line, names) for line in found.lines],
            "older": "-".join(map(repr, found.older)) if found.older else "",
            "searched": found.older.at if found.older else None,
        }


def _line(line: logbook.Row, names: dict[int, str]) -> LogLine:
    node = line["node_id"]
    return {
        "id": f"{line['job']}:{line['attempt']}:{line['n']}",
        "at": line["at"],
        "level": line["level"],
        "text": line["text"],
        "job_id": line["job"],
        "attempt": line["attempt"],
        "n": line["n"],
        "script": line["script"] or "",
        "node_id": node,
        "node": "" if node is None else names.get(node, f"node {node}"),
    }


def _time(name: str, given: str) -> float | None:
    try:
        return time_of(given) if given.strip() else None
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"{name}: must be a time, such as {TIMES}", detail={"argument": name}) from error


def _place(given: str) -> Place | None:
    if not given:
        return None
    try:
        at, chunk, number = given.split("-")
        return Place(float(at), int(chunk), int(number))
    except ValueError as error:
        raise InvalidError("before: must be what an answer called older.", detail={"argument": "before"}) from error
