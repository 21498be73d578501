"""One job at a time on a healthy agent."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from grid import Grid, wait_for

from agent.protocol import JobState, Line
from portalfw.controller import output
from portalfw.controller.documents import Job, JobOutput
from portalfw.dal import JobFailedError
from portalfw.errors import InvalidError, NotFoundError
from portalfw.health.node_results import findings
from portalfw.health.queues import silent_queues

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def failed(node: Any, script: str, **args: Any) -> JobFailedError:
    with pytest.raises(JobFailedError) as caught:
        node.run(script, **args)
    return caught.value


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("value", [None, 1.5, "ä\n", [1, {"a.b": [], "$c": None}], {"": True}])
def test_round_trip(node: Any, value: Any) -> None:
    """What goes in as an argument comes back as the result."""
    assert node.run("test/echo", value=value) == value


@pytest.mark.parametrize(
    ("script", "args", "states"),
    [
        ("test/echo", {"value": 1}, ["QUEUED", "RUNNING", "OK"]),  # idempotent, so a free worker begins it unasked
        ("test/sleep_once", {"seconds": 0}, ["QUEUED", "LEASED", "RUNNING", "OK"]),
    ],
)
def test_job_tells_its_story(shared: Grid, node: Any, script: str, args: dict[str, Any], states: list[str]) -> None:
    """A finished job has its attempt, times and every state it went through."""
    job = node.submit(script, **args)
    job.result()
    row = job.row()
    assert [entry["status"] for entry in row["history"]] == states
    assert row["attempt"] == 1
    assert row["created"] <= row["started"] <= row["ended"]
    assert 0 <= row["seconds"] < 5
    assert shared.dal.job(job.id).state is JobState.OK


def test_output_keeps_its_order(node: Any) -> None:
    """Lines printed and logged come in the order in which they were made, each with its level."""
    job = node.submit("test/lines", count=300)
    job.result()
    lines = job.output()
    own = [line["text"] for line in lines if line["text"] != "from a child"]
    expected = [f"{kind} {number}" for number in range(300) for kind in ("printed", "logged")]
    assert own == [*expected, "to stderr", "no end of line"]
    assert {line["text"]: line["level"] for line in lines}["to stderr"] == "stderr"
    assert "from a child" in [line["text"] for line in lines]
    assert [line["text"] for line in job.output(skip=600)] == [line["text"] for line in lines[600:]]


def test_output_streams_while_the_job_runs(node: Any) -> None:
    """Output and progress can be read before the job has ended."""
    job = node.submit("test/sleep", seconds=20)
    wait_for(job.output, what="first line")
    wait_for(lambda: job.row().get("progress"), what="progress")
    assert job.state is JobState.RUNNING
    assert job.row()["progress"] == {"percent": 50, "text": "half way"}
    job.cancel("seen enough")
    assert job.wait(5) is JobState.CANCELLED


def test_very_much_output_is_cut(node: Any) -> None:
    """Output beyond its bounds is dropped with one last line that says so, and the script's result is kept."""
    job = node.submit("test/lines", count=15_000)
    assert job.wait(30) is JobState.OK
    lines = job.output()
    assert len(lines) == 20_001
    assert lines[-1]["text"].startswith("Output is cut here")


def test_script_that_raises(node: Any) -> None:
    """An exception ends the job as ERROR with the exception as reason and the script's traceback."""
    job = node.submit("test/fail")
    assert job.wait(10) is JobState.ERROR
    assert job.row()["reason"] == "ValueError: no such colour: mauve"
    assert "in action" in job.row()["traceback"]
    assert "worker.py" not in job.row()["traceback"]


def test_result_that_json_cannot_hold(node: Any) -> None:
    """A result with a set in it is an ERROR that says where, and of what type it is."""
    assert failed(node, "test/unserialisable").reason == (
        "action() returned what JSON cannot hold: result['disks'][1]['size'] is of type set"
    )


def test_result_that_the_database_cannot_hold(node: Any) -> None:
    """A number beyond 64 bits as result is an ERROR that says so."""
    error = failed(node, "test/unserialisable", huge=True)
    assert error.state is JobState.ERROR
    assert "the database cannot hold" in error.reason


def test_timeout_kills_children(node: Any) -> None:
    """A job that runs too long ends as TIMEOUT, and what it started or forked is gone."""
    job = node.submit("test/fork")
    assert job.wait(10) is JobState.TIMEOUT
    assert job.row()["reason"] == "the script ran longer than its timeout of 1 s"
    texts = [line["text"] for line in job.output()]
    children = [int(text) for text in texts if text.isdigit()]
    assert len(children) >= 2
    for pid in children:
        wait_for(lambda pid=pid: gone(pid), 2)
    assert any("in action" in text for text in texts), "the stack shows where it hung"


def test_fork_answers_once(node: Any) -> None:
    """A script that forks and returns in both processes has the parent's result, and the worker lives on."""
    assert node.run("test/fork", fork_only=True) == "parent"
    assert node.run("test/echo", value=1) == 1


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("signal", "the worker process was ended by SIGKILL while the script ran"),
        ("exit", "the script ended its worker process with exit status 3"),
        ("sys.exit", "the script called sys.exit(4)"),
    ],
)
def test_worker_that_dies(node: Any, how: str, reason: str) -> None:
    """A script that ends its worker is an ERROR that names how, and the next job finds a new worker."""
    assert failed(node, "test/leave", how=how).reason == reason
    assert node.run("test/echo", value=how) == how


def test_cancel_running(node: Any) -> None:
    """A running job is killed at once when it is cancelled, with the reason kept."""
    job = node.submit("test/sleep", seconds=25)
    wait_for(lambda: job.state is JobState.RUNNING)
    begin = time.monotonic()
    job.cancel("not needed any more")
    assert job.wait(5) is JobState.CANCELLED
    assert time.monotonic() - begin < 1
    assert job.row()["reason"] == "not needed any more"


def test_timeout_argument_wins(node: Any) -> None:
    """A timeout given with the job goes before the script's own."""
    assert failed(node, "test/sleep", seconds=20, timeout=0.5).state is JobState.TIMEOUT


def test_workers_stay_warm(node: Any) -> None:
    """A queue's worker process is used again."""
    pids = {node.run("test/where")["pid"] for _ in range(6)}
    assert len(pids) <= 2


def test_surroundings(node: Any) -> None:
    """A script knows its node, the site's prefix and the hypervisor's address, and has its folders."""
    found = node.run("test/where")
    assert found["node_id"] == node.id
    assert found["site"].startswith("pf")
    assert len(found["site"]) == 6
    assert found["hypervisor"] == "test:///default"
    assert found["work"]
    assert found["run"]


def test_fetch_file(shared: Grid, node: Any) -> None:
    """A script fetches a file of the portal, and is told if its hash is another."""
    (shared.state / "images" / "greeting").write_text("hello")
    sha256 = hashlib.sha256(b"hello").hexdigest()
    assert node.run("test/where", fetch="portal:greeting")["fetched"] == "hello"
    assert node.run("test/where", fetch="portal:greeting", sha256=sha256)["fetched"] == "hello"
    assert f"has the sha256 {sha256}" in failed(node, "test/where", fetch="portal:greeting", sha256="0" * 64).reason
    assert "404" in failed(node, "test/where", fetch="portal:none").reason
    assert "404" in failed(node, "test/where", fetch="portal:../agent/credential").reason


def test_broken_scripts(node: Any) -> None:
    """A malformed script is refused with the place of its fault; the others run."""
    with pytest.raises(InvalidError, match=r"test/broken is broken: it is not Python: .*line 3"):
        node.run("test/broken")
    with pytest.raises(InvalidError, match="line 3: descr must be a literal"):
        node.run("test/computed")
    assert node.run("test/echo", value=1) == 1


def test_wrong_calls(node: Any, shared: Grid) -> None:
    """Unknown scripts, nodes and arguments are refused before a job is made."""
    with pytest.raises(NotFoundError, match="Jumpscript test/none does not exist"):
        node.run("test/none")
    with pytest.raises(NotFoundError, match="Node 999 does not exist"):
        shared.dal.node(999).run("test/echo")
    with pytest.raises(InvalidError, match="no argument colour"):
        node.run("test/echo", colour="mauve")
    with pytest.raises(InvalidError, match="needs the argument seconds"):
        node.run("test/sleep")


def test_facts_and_abilities(node: Any) -> None:
    """The node's document tells what it is and what it can do."""
    from portalfw.controller.documents import Node

    found = Node.get(node.id)
    assert found.facts["cpus"] == os.cpu_count()
    assert found.abilities["hypervisor"]["kind"] == "test"
    assert found.abilities["network"] == "simulated"
    wait_for(lambda: not Node.get(node.id).abilities["hypervisor"]["accelerator"]["pending"])


def test_role(shared: Grid, node: Any) -> None:
    """A role's job runs on a connected node of that role; a role without one says so."""
    from portalfw.errors import UnavailableError

    assert shared.dal.role("node").run("test/where")["node_id"] == node.id
    with pytest.raises(UnavailableError, match="storagenode"):
        shared.dal.role("storagenode").run("test/where")


def test_a_changed_script_is_fetched_anew(shared: Grid, node: Any) -> None:
    """The next job runs what the script says now, without a restart; what it said before is still kept by its hash."""
    for answer in (1, 2, 1):
        shared.write_script("changing", f"descr = 'Changing'\n\ndef action():\n    return {answer}\n")
        assert node.run("test/changing") == answer
    kept = (shared.folder / "one" / "agent" / "scripts").glob("*.py")
    assert len([file for file in kept if "Changing" in file.read_text()]) == 2


@pytest.mark.parametrize(("skew", "state"), [(5, "WARNING"), (-5, "WARNING"), (30, "ERROR"), (-30, "ERROR")])
def test_a_clock_that_is_wrong_is_found(node: Any, skew: float, state: str) -> None:
    """What a node's clock shows is compared with when its script ran, as the controller knows: only what is certain."""
    shown = {"category": "Clock", "uid": "clock", "state": "OK", "message": "kept", "at": time.time() + skew}
    job = node.submit("test/echo", value=[shown])
    job.result()
    row = {**job.row(), "_id": job.id}
    ((category, found),) = findings(row) or []
    assert (category, found.uid, found.state) == ("Clock", "clock", state)
    assert f"{'ahead of' if skew > 0 else 'behind'} the controller's, give or take" in found.message
    slow = {**row, "ended": row["ended"] + 100}  # the same, if the result had taken so long: nothing is certain then
    ((_, found),) = findings(slow) or []
    assert found.state == ("OK" if skew > 0 else state)


def test_a_silent_queue_is_found(node: Any) -> None:
    """A queue with jobs whose workers say nothing for long is found: an ERROR while jobs wait behind them."""
    jobs = [node.submit("test/sleep", seconds=30, timeout=100) for _ in range(3)]

    def found() -> list[tuple[str, str]]:
        return [(one.uid, one.state) for one in silent_queues(cast("Runtime", None))]

    def running() -> list[Any]:
        return [job for job in jobs if job.row()["status"] == "RUNNING" and job.row()["lines"]]

    first = wait_for(lambda: len(running()) == 2 and running()[0])
    assert found() == [("queues", "OK")]
    long_ago = time.time() - 150
    Job.collection().update_many({}, {"$set": {"created": long_ago}})
    Job.collection().update_many({"ended": {"$ne": None}}, {"$set": {"ended": long_ago}})
    Job.collection().update_many({"status": "RUNNING"}, {"$set": {"started": long_ago}})
    assert found() == [("queues", "OK")]  # they have said something just now
    JobOutput.collection().update_many({}, {"$set": {"lines.$[].at": long_ago}})
    assert found() == [(f"default-{node.id}", "ERROR")]
    output.store(first.id, 1, 1, [Line(at=time.time(), level="info", text="still there")])
    assert found() == [("queues", "OK")]
    for job in jobs:
        job.cancel("seen")
    wait_for(lambda: all(job.row().get("ended") for job in jobs))
