"""What must be true of every job when all is calm again, told from the database and the scripts' own journal."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from load import Load

from agent.protocol import ENDED, JobState
from portalfw.controller import output
from portalfw.controller.documents import Job

MOST_RUNS = 3
"""Runs after which an idempotent script that was interrupted each time is given up, with that as the reason."""

SHOWN = 10

Row = dict[str, Any]


@dataclass
class Runs:
    """How often the scripts of one key began and came to their end, by node."""

    began: Counter[int] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)


def journal(file: Path) -> dict[str, Runs]:
    """Read what the scripts have written down of themselves."""
    found: dict[str, Runs] = defaultdict(Runs)
    for line in file.read_text().splitlines():
        event, key, node, _pid, _at = line.split()
        (found[key].began if event == "began" else found[key].ended)[int(node)] += 1
    return found


class Verdict:
    """Looks at all jobs; ``wrong`` names what is not as it must be."""

    def __init__(self, load: Load, runs: dict[str, Runs], spools: list[Path]) -> None:
        """Judge."""
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self._load = load
        self._runs = runs
        self._rows = {row["id"]: row for row in Job.rows({"script": {"$regex": "^test/"}})}
        self._spooled = self._read_spools(spools)
        self._cancelled = {order.job for order in load.orders if order.cancelled}
        self._judge_submissions()
        for row in self._rows.values():
            self._judge(row)

    def _read_spools(self, spools: list[Path]) -> set[tuple[int, int]]:
        """Return the attempts whose results agents have had in their hands; all must have been delivered."""
        found: set[tuple[int, int]] = set()
        for file in spools:
            database = sqlite3.connect(file)
            rows = database.execute("SELECT job, attempt, result IS NOT NULL FROM attempt").fetchall()
            database.close()
            found |= {(job, attempt) for job, attempt, _ in rows}
            self.wrong += [f"job {job}: its result lies in {file} still" for job, _, kept in rows if kept]
        return found

    def _judge_submissions(self) -> None:
        for order in self._load.acknowledged:
            if order.job not in self._rows:
                self.wrong.append(f"job {order.job} was acknowledged and is not there")
        unanswered = {order.key for order in self._load.orders if order.job is None}
        whole = [row for row in self._rows.values() if "parent" not in row]
        known = Counter(row["args"]["key"] for row in whole)
        self.counts["jobs of submissions that were not answered"] = sum(known[key] for key in unanswered)
        self.wrong += [f"submission {key} became {count} jobs" for key, count in known.items() if count > 1]

    def _judge(self, row: Row) -> None:
        state = JobState(row["status"])
        self.states[state.value] += 1
        if state not in ENDED:
            self.wrong.append(f"{_name(row)} has not ended: {_history(row)}")
            return
        if state != JobState.OK and not row["reason"]:
            self.wrong.append(f"{_name(row)} has no reason")
        if "fan" in row:
            self.counts["orders on all nodes"] += 1
            return
        runs = self._runs.get(row["args"]["key"], Runs())
        if "parent" in row or (row.get("target") or {}).get("any") is None:
            began, ended = runs.began[row["node_id"]], runs.ended[row["node_id"]]
        else:
            began, ended = sum(runs.began.values()), sum(runs.ended.values())
        self._judge_runs(row, state, began, ended)
        self._judge_result(row, state, ended)

    def _judge_runs(self, row: Row, state: JobState, began: int, ended: int) -> None:
        cancelled = not self._cancelled.isdisjoint({row["id"], row.get("parent")})
        if not row["idempotent"]:
            self.counts["not idempotent"] += 1
            self.counts["not idempotent, begun"] += bool(began)
            if began > 1:
                self.wrong.append(f"{_name(row)} is not idempotent and ran {began} times: {_history(row)}")
            if state == JobState.LOST and not began:
                self.counts["not idempotent, lost before it began"] += 1
            return
        self.counts["idempotent"] += 1
        self.counts["idempotent, runs beyond the first"] += max(0, began - 1)
        self.counts["idempotent, run more than once"] += began > 1
        # An attempt that was killed before the script's first line has left no mark, and counts all the same.
        if not ended and not cancelled and not (state == JobState.LOST and row["attempt"] >= MOST_RUNS):
            self.wrong.append(f"{_name(row)} is idempotent and did not run to its end: {_history(row)}")
        if state == JobState.LOST:
            self.counts["idempotent, given up after three interruptions"] += 1

    def _judge_result(self, row: Row, state: JobState, ended: int) -> None:
        key = row["args"]["key"]
        delivered = (row["id"], row["attempt"]) in self._spooled
        self.counts["results"] += state == JobState.OK
        if state == JobState.OK:
            if (row.get("result") or {}).get("key") != key:
                self.wrong.append(f"{_name(row)} has the result {row.get('result')}")
            if not ended:
                self.wrong.append(f"{_name(row)} is OK and never came to its end: {_history(row)}")
            self._judge_output(row)
        elif state == JobState.ERROR:
            self.wrong.append(f"{_name(row)} failed: {row['reason']}: {_history(row)}")
        elif delivered and state == JobState.LOST:
            self.wrong.append(f"{_name(row)}: the agent had its result: {row['reason']}: {_history(row)}")
        elif state == JobState.LOST and ended:
            self.counts["killed between their end and the agent's hearing of it"] += 1

    def _judge_output(self, row: Row) -> None:
        """Each attempt's lines are there in their order, each once; those of one that went well are all there."""
        lines: dict[int, list[str]] = defaultdict(list)
        for line in output.read(row["id"]):
            lines[line["attempt"]].append(line["text"])
        wanted = [f"{row['args']['key']} {number}" for number in range(row["args"]["lines"])]
        for found in lines.values():
            if found != wanted[: len(found)]:
                self.wrong.append(f"{_name(row)} has the output {found[:SHOWN]} …")
        if wanted and wanted not in lines.values():
            self.wrong.append(f"{_name(row)} lacks output: {len(lines[row['attempt']])} of {len(wanted)} lines")
        self.counts["lines of output"] += len(wanted)


def _name(row: Row) -> str:
    return f"job {row['id']} ({row['script']} {row['args']['key']} on {row['node_id']}, {row['status']})"


def _history(row: Row) -> str:
    return "; ".join(f"{one['status']} {one.get('attempt', '')} {one['reason']}".strip() for one in row["history"])
