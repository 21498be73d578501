"""What happens to jobs when something dies, is away, or is taken away."""

from __future__ import annotations

import functools
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from grid import ROOT, Grid, wait_for

from agent import credential
from agent.errors import SettingsError
from agent.protocol import JobState
from agent.settings import AgentSettings
from portalfw.controller import node_life
from portalfw.controller.documents import Job, Node, Schedule
from portalfw.dal import JobFailedError
from portalfw.errors import UnauthenticatedError

WATCH = """
def action():
    from pathlib import Path
    with Path({marker!r}).open("a") as file:
        file.write("x")
    return "seen"
"""


class NoController(BaseHTTPRequestHandler):
    """Something on the way that answers as no controller does."""

    def do_POST(self) -> None:
        self.send_response(403 if self.path.endswith("hello") else 200)
        self.send_header("Content-Length", "13")
        self.end_headers()
        self.wfile.write(b"<html></html>")

    do_GET = do_POST  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def kill(grid: Grid) -> None:
    grid.agents[-1].kill()
    grid.agents[-1].wait()


def running(node: Any, script: str, **args: Any) -> Any:
    job = node.submit(script, **args)
    wait_for(lambda: job.state is JobState.RUNNING, what=f"{script} runs")
    wait_for(job.output, what="its first line")
    return job


def is_connected(node: Any) -> bool:
    return bool(Node.get(node.id).connected)


def workers(agent: int) -> list[psutil.Process]:
    """Return an agent's worker processes; other agents on this machine are none of ours."""
    children = psutil.Process(agent).children(recursive=True)
    return [process for process in children if "agent.worker" in process.cmdline()]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_killed_agent_idempotent(grid: Grid, tmp_path: Path) -> None:
    """An idempotent job whose agent is killed runs again when the agent is back, as attempt 2."""
    node = grid.connect()
    mark = tmp_path / "mark"
    job = running(node, "test/sleep", seconds=2, mark=str(mark))
    left = workers(grid.agents[-1].pid)
    assert left
    kill(grid)
    wait_for(lambda: not is_connected(node), 3, "the cut connection is noticed")
    wait_for(lambda: not alive(left), 2, "its workers died with it")
    grid.start_agent()
    assert job.result(timeout=40) == 2
    row = job.row()
    assert row["attempt"] == 2
    assert mark.read_text() == "ran\nran\n"
    assert "the agent was restarted while it had the job" in [entry["reason"] for entry in row["history"]]
    assert {line["attempt"] for line in job.output()} == {1, 2}


def test_killed_agent_not_idempotent(grid: Grid, tmp_path: Path) -> None:
    """A job that may have done half its work is LOST with the reason, and is not run again."""
    node = grid.connect()
    mark = tmp_path / "mark"
    job = running(node, "test/sleep_once", seconds=20, mark=str(mark))
    kill(grid)
    grid.start_agent()
    with pytest.raises(JobFailedError) as caught:
        job.result(timeout=40)
    assert caught.value.state is JobState.LOST
    assert caught.value.reason == (
        "the agent was restarted while it had the job; the script is not idempotent, so it is not run again"
    )
    assert node.run("test/echo", value=1) == 1
    assert mark.read_text() == "ran\n"


def test_agent_that_stays_away(database: Any, tmp_path: Path) -> None:
    """The lease of a killed agent's job runs out, and the job ends as LOST though no agent comes back."""
    grid = Grid(database, tmp_path, lease=1.0)
    try:
        node = grid.connect()
        job = running(node, "test/sleep_once", seconds=20)
        kill(grid)
        assert job.wait(5) is JobState.LOST
        assert "silent for longer than its lease of 1 s" in job.row()["reason"]
    finally:
        grid.close()


def test_leases_are_renewed(database: Any, tmp_path: Path) -> None:
    """A job that runs longer than its lease stays its agent's."""
    grid = Grid(database, tmp_path, lease=0.9)
    try:
        job = grid.connect().submit("test/sleep_once", seconds=2.5)
        assert job.result(timeout=10) == 2.5
        assert job.row()["attempt"] == 1
    finally:
        grid.close()


def test_master_restart(grid: Grid) -> None:
    """A job that ends while no controller is there has its result delivered to the next one; nothing runs twice."""
    node = grid.connect()
    job = running(node, "test/sleep_once", seconds=1)
    queued = node.submit("test/echo", value="later")

    def until_spooled() -> None:
        wait_for(lambda: f"result of job {job.id} is kept" in grid.log(), what="the result is in the spool")

    grid.restart_master(while_down=until_spooled)
    assert grid.dal.job(job.id).result(timeout=40) == 1
    assert grid.dal.job(job.id).row()["attempt"] == 1
    assert grid.dal.job(queued.id).result(timeout=40) == "later"
    assert grid.dal.node(node.id).run("test/echo", value=2) == 2


def test_controller_that_cannot_take_a_result(grid: Grid) -> None:
    """A result that is answered with 503 is delivered a little later, while other jobs go on."""
    node = grid.connect()
    grid.master.refuse = ['"ends":[{', '"ends":[{']
    job = node.submit("test/sleep_once", seconds=0)
    wait_for(lambda: not grid.master.refuse or f"result of job {job.id} is kept" in grid.log())
    assert node.run("test/echo", value=1) == 1
    assert job.result(timeout=10) == 0
    assert job.row()["attempt"] == 1


def test_start_whose_answer_is_lost(grid: Grid) -> None:
    """The question whether a job may start that is answered with 503 is asked again, and the job runs once."""
    node = grid.connect()
    grid.master.refuse = ['"starts":[{']
    job = node.submit("test/sleep_once", seconds=0)
    assert job.result(timeout=10) == 0
    assert job.row()["attempt"] == 1


def test_killed_agent_delivers_its_spool(grid: Grid) -> None:
    """A result that was spooled when the agent was killed is delivered by the next agent, not called lost."""
    node = grid.connect()
    job = running(node, "test/sleep_once", seconds=0.5)

    def until_killed() -> None:
        wait_for(lambda: f"result of job {job.id} is kept" in grid.log(), what="the result is in the spool")
        kill(grid)

    grid.restart_master(while_down=until_killed)
    grid.start_agent()
    assert grid.dal.job(job.id).result(timeout=40) == 0.5


def test_stopped_agent(grid: Grid) -> None:
    """An agent told to stop ends its jobs, reports them and exits with 0; the controller knows at once."""
    node = grid.connect()
    once = running(node, "test/sleep_once", seconds=20)
    again = running(node, "test/sleep", seconds=3)
    left = workers(grid.agents[-1].pid)
    assert left
    grid.agents[-1].send_signal(signal.SIGTERM)
    assert grid.agents[-1].wait(10) == 0
    assert once.state is JobState.LOST
    assert once.row()["reason"].startswith("the agent was stopped while the script ran")
    assert again.state is JobState.QUEUED
    assert not is_connected(node)
    assert not alive(left)
    grid.start_agent()
    assert again.result(timeout=40) == 3


def test_agent_dies_with_its_parent(grid: Grid, tmp_path: Path) -> None:
    """An agent started with --die-with-parent stops when its parent is killed, and leaves no worker."""
    token = grid.controller.nodes.create_token()
    command = [sys.executable, "-m", "agent", "--controller", grid.url, "--state", str(tmp_path / "child")]
    command += ["--hypervisor", "test", "--die-with-parent", "--join-token", token, "--grace", "0.2"]
    starter = f"import subprocess, sys; print(subprocess.Popen({command!r}).pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen(
        [sys.executable, "-c", starter],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    agent = psutil.Process(int(parent.stdout.readline()))
    node = grid.dal.node(grid.connected_node())
    running(node, "test/sleep", seconds=20)
    left = workers(agent.pid)
    parent.kill()
    parent.communicate()
    wait_for(lambda: not agent.is_running() or agent.status() == psutil.STATUS_ZOMBIE, 5, "the agent ends")
    assert not alive(left)


def test_node_that_is_away(grid: Grid) -> None:
    """A job for a node that is away waits, and ends as EXPIRED with the reason when its time is over."""
    node = grid.connect()
    kill(grid)
    wait_for(lambda: not is_connected(node), 3)
    waiting = node.submit("test/echo", value="waited")
    expiring = node.submit("test/echo", expires=0.3)
    assert expiring.wait(5) is JobState.EXPIRED
    assert expiring.row()["reason"] == "the node did not take the job within 0.3 s"
    grid.start_agent()
    assert waiting.result(timeout=40) == "waited"


def test_no_free_worker(grid: Grid) -> None:
    """A job that waits on its node behind others longer than it may is EXPIRED with the queue as reason."""
    node = grid.connect()
    busy = [running(node, "test/sleep", seconds=20) for _ in range(2)]
    job = node.submit("test/echo", expires=0.5)
    assert job.wait(10) is JobState.EXPIRED
    assert "no worker of the queue default became free" in job.row()["reason"]
    assert {other.state for other in busy} == {JobState.RUNNING}


def test_cancel_waiting(grid: Grid) -> None:
    """A queued job is CANCELLED at once, and one that waits on its node never starts."""
    node = grid.connect()
    for _ in range(2):
        running(node, "test/sleep", seconds=2)
    leased = node.submit("test/echo", value=1)
    wait_for(lambda: leased.state is JobState.LEASED)
    leased.cancel("changed my mind")
    kill(grid)
    queued = node.submit("test/echo", value=1)
    assert queued.cancel("no") is JobState.CANCELLED
    grid.start_agent()
    assert leased.wait(10) is JobState.CANCELLED
    assert leased.row()["reason"] == "changed my mind"
    assert leased.row().get("started") is None


def test_cancel_on_the_node(grid: Grid) -> None:
    """A job that waits on its node for a worker is CANCELLED at once."""
    node = grid.connect()
    busy = [running(node, "test/sleep", seconds=20) for _ in range(2)]
    waiting = node.submit("test/echo", value=1)
    wait_for(lambda: waiting.state is JobState.LEASED)
    waiting.cancel("changed my mind")
    assert waiting.wait(3) is JobState.CANCELLED
    assert {job.state for job in busy} == {JobState.RUNNING}


def test_join_token_is_used_once(grid: Grid) -> None:
    """A join token lets one agent in; for a second, and for a wrong or expired one, enrolment is refused in words."""
    token = grid.controller.nodes.create_token(roles=["node"])
    grid.start_agent("one", token)
    grid.connected_node()
    expired = grid.controller.nodes.create_token(life=-1)
    for name, bad in (("two", token), ("three", "join_wrong"), ("four", expired)):
        assert grid.start_agent(name, bad).wait(10) == 1
        assert "The join token is unknown, used or expired" in grid.log(name)
    assert grid.start_agent("five", None).wait(10) == 1
    assert "start the agent with a join token" in grid.log("five")
    assert Node.collection().count_documents({}) == 1


def test_roles_are_granted_by_the_token(grid: Grid) -> None:
    """An agent may ask for fewer roles than its token grants, and for no other."""
    token = grid.controller.nodes.create_token(roles=["node", "cpunode"])
    assert grid.start_agent("two", token, "--role", "master").wait(10) == 1
    assert "does not grant the role master" in grid.log("two")
    token = grid.controller.nodes.create_token(roles=["node", "cpunode"])
    grid.start_agent("one", token, "--role", "cpunode")
    assert Node.get(grid.connected_node()).roles == ["cpunode"]


def test_credential_is_private(grid: Grid, tmp_path: Path) -> None:
    """The credential lies in a file that only its owner may read, and the database has only its hash."""
    node = grid.connect()
    file = tmp_path / "one" / "agent" / "credential"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().split('"')[-2] not in str(Node.get(node.id).to_mongo())


def test_revoked_credential(grid: Grid) -> None:
    """An agent whose credential is revoked hears it at once, says so and exits with 1; its node gets no jobs."""
    node = grid.connect()
    wait_for(lambda: Node.get(node.id).abilities)
    node.run("test/echo")  # when it has answered, the agent has nothing more to say of itself and parks its question
    node_life.move(node.id, "DECOMMISSIONED", reason="stolen")
    assert grid.agents[-1].wait(5) == 1
    assert "credential is unknown or revoked" in grid.log()
    with pytest.raises(Exception, match="DECOMMISSIONED"):
        node.run("test/echo")


def test_credential_is_replaced(grid: Grid, tmp_path: Path) -> None:
    """An agent that is told to fetches a new credential and uses it; the old one is good for a while only."""
    node = grid.connect()
    file = tmp_path / "one" / "agent" / "credential"
    before = file.read_text()
    job = running(node, "test/sleep", seconds=1)
    grid.controller.nodes.ask_rotation(node.id)
    wait_for(lambda: Node.get(node.id).credential_old, 30, "the agent uses a new credential")
    assert file.read_text() != before
    assert job.wait(30) is JobState.OK
    assert node.run("test/echo", value=1) == 1
    old, new = (json.loads(text)["credential"] for text in (before, file.read_text()))
    assert grid.controller.nodes.authenticate(old)["id"] == grid.controller.nodes.authenticate(new)["id"] == node.id
    Node.collection().update_one({"_id": node.id}, {"$set": {"credential_old.until": 0.0}})
    with pytest.raises(UnauthenticatedError):
        grid.controller.nodes.authenticate(old)
    assert not Node.get(node.id).rotate


def test_disabled_node(grid: Grid) -> None:
    """A node that is disabled while its question is parked is given nothing until it is enabled again."""
    node = grid.connect()
    node.run("test/echo")
    node_life.move(node.id, "DISABLED", reason="look at it")
    job = node.submit("test/echo", value=1)
    assert job.wait(0.5) is JobState.QUEUED
    node_life.move(node.id, "ENABLED")
    assert job.result(timeout=30) == 1


def test_standing_orders(grid: Grid, tmp_path: Path) -> None:
    """A script that is marked offline runs on while the controller is away; what it did is told afterwards, once."""
    marker = tmp_path / "marker"
    text = f"descr = 'watch'\nperiod = 1\noffline = True\nidempotent = True\n{WATCH.format(marker=str(marker))}"
    grid.write_script("watch", text)
    grid.start_agent("one", "", "--alone-after", "0.5")
    node = grid.dal.node(grid.connected_node())
    kept = tmp_path / "one" / "agent" / "standing.json"
    wait_for(lambda: kept.exists() and "test/watch" in kept.read_text(), 30, "the agent knows its orders")
    alone = tmp_path / "one" / "agent" / "alone"
    grid.restart_master(lambda: wait_for(lambda: len(list(alone.glob("*.json"))) > 1, 60, "it runs by itself"))
    wait_for(lambda: not list(alone.glob("*.json")), 60, "the results are told")
    rows = Job.rows({"occurrence": {"$regex": ":alone:"}})
    assert len(rows) > 1
    assert {(row["status"], row["node_id"], row["result"]) for row in rows} == {("OK", node.id, "seen")}
    assert node.run("test/echo", value=2) == 2


def test_standing_orders_change(grid: Grid, tmp_path: Path) -> None:
    """What changes of a standing order reaches a connected agent within seconds: new, other, paused, moved, gone."""
    marker, kept = tmp_path / "marker", tmp_path / "one" / "agent" / "standing.json"
    grid.start_agent("one", "", "--alone-after", "0.5")
    node = grid.dal.node(grid.connected_node())
    assert node.run("test/echo", value=1) == 1  # it has asked

    def told(text: str, what: str) -> None:
        # Less than a question is parked: it is answered because of the change.
        wait_for(lambda: kept.exists() and text in kept.read_text(), 45, what)

    head = "descr = 'watch'\nperiod = 3600\noffline = True\nidempotent = True\n"
    action = f"def action(say='x'):\n    with open({str(marker)!r}, 'a') as file:\n        file.write(say)\n"
    grid.write_script("watch", head + action)
    told("test/watch", "a new one")
    change = functools.partial(Schedule.collection().update_one, {"name": "test/watch"})
    change({"$set": {"args": {"say": "y"}}})
    told('"say": "y"', "other arguments")
    change({"$set": {"enabled": False}})
    told("[]", "a paused one")
    change({"$set": {"enabled": True, "roles": ["storagenode"]}})
    Node.collection().update_one({"_id": node.id}, {"$push": {"roles": "storagenode"}})
    told("test/watch", "the node has the role")
    node_life.move(node.id, "DISABLED", reason="look at it")
    told("[]", "the node is disabled")
    node_life.move(node.id, "ENABLED")
    grid.write_script("watch", head.replace("3600", "1") + action)
    told('"every": 1.0', "another period")
    grid.restart_master(lambda: wait_for(lambda: marker.exists() and "y" in marker.read_text(), 60, "it is run"))
    grid.write_script("watch", "descr = 'watch'\n" + action)
    told("[]", "one that is gone")


def test_pending_node(grid: Grid) -> None:
    """A node whose token does not accept it waits for an operator, and works once it is accepted and enabled."""
    grid.start_agent("one", grid.controller.nodes.create_token(accept=False))
    node = grid.dal.node(grid.connected_node())
    job = node.submit("test/echo", value=1)
    assert job.wait(0.5) is JobState.QUEUED
    node_life.move(node.id, "ACCEPTED")
    assert job.wait(0.5) is JobState.QUEUED
    node_life.move(node.id, "ENABLED")
    assert job.result(timeout=10) == 1


def test_one_agent_a_folder(grid: Grid) -> None:
    """A second agent in the same folder is refused."""
    grid.connect()
    assert grid.start_agent("one").wait(10) == 1
    assert "another agent runs in" in grid.log()


@pytest.mark.parametrize("url", ["http://10.1.2.3:8200", "http://portal.example", "ftp://127.0.0.1", "127.0.0.1:8200"])
def test_plain_http_only_to_loopback(url: str, tmp_path: Path) -> None:
    """An address over which the credential would travel in the clear, or that is none, is refused."""
    with pytest.raises(SettingsError, match="controller address"):
        AgentSettings(controllers=(url,), state=tmp_path)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "jobs", None, 401, "unauthenticated"),
        ("POST", "hello", {"session": "x"}, 401, "unauthenticated"),
        ("POST", "enroll", {"token": 1}, 400, "invalid"),
        ("POST", "enroll", {"token": "x", "name": "n", "protocol": 99}, 400, "invalid"),
        ("GET", "files/../agent/credential", None, 404, ""),
    ],
)
def test_bad_requests(grid: Grid, method: str, path: str, body: Any, status: int, code: str) -> None:
    """A request without credential or with a wrong body is answered in the one shape."""
    answer = requests.request(method, f"{grid.url}/agent/{path}", json=body, timeout=5)
    assert answer.status_code == status
    if code:
        assert answer.json()["error"] == code
        assert answer.json().keys() == {"error", "message", "detail", "id"}


def test_an_enrolment_is_repeatable(grid: Grid, tmp_path: Path) -> None:
    """Whose answer was cut on its way asks again with the same credential; the token is good for nobody else."""
    token = grid.controller.nodes.create_token()
    mine, other = credential.proposed(tmp_path, token), f"node_{'x' * 43}"
    assert credential.proposed(tmp_path, token) == mine

    def enroll(wanted: str) -> requests.Response:
        body = {"token": token, "name": "cut", "credential": wanted}
        return requests.post(f"{grid.url}/agent/enroll", json=body, timeout=20)

    first, again = enroll(mine), enroll(mine)
    assert (first.status_code, again.json()) == (200, first.json())
    assert first.json()["credential"] == mine
    assert enroll(other).status_code == enroll("").status_code == 401
    Node.collection().update_one({"_id": first.json()["node_id"]}, {"$set": {"status": "DECOMMISSIONED"}})
    assert enroll(mine).status_code == 401


def test_another_nodes_job(grid: Grid) -> None:
    """A node cannot touch another node's job."""
    node = grid.connect()
    job = running(node, "test/sleep", seconds=1)
    other = grid.controller.nodes.create_token()
    enrolled = requests.post(f"{grid.url}/agent/enroll", json={"token": other, "name": "other"}, timeout=5).json()
    headers = {"Authorization": f"Bearer {enrolled['credential']}"}
    ended = {"id": job.id, "result": {"attempt": 1, "state": "OK", "reason": "", "ended": time.time()}}
    body = {"starts": [{"id": job.id, "attempt": 1}], "ends": [ended]}
    answer = requests.post(f"{grid.url}/agent/report", json=body, headers=headers, timeout=5).json()
    refused = {"ok": False, "again": False, "message": f"Job {job.id} does not exist."}
    assert answer == {"starts": [refused], "ends": [refused]}
    assert job.result(timeout=10) == 1


def test_what_comes_late(grid: Grid, tmp_path: Path) -> None:
    """A hello or a good-bye of an earlier agent process that comes late takes nothing from the one that is there."""
    node = grid.connect()
    job = running(node, "test/sleep_once", seconds=1.5)
    known = json.loads((tmp_path / "one" / "agent" / "credential").read_text())["credential"]
    headers = {"Authorization": f"Bearer {known}"}
    late = {"session": "earlier", "boot_id": Node.get(node.id).boot_id, "uptime": 1.0, "holding": []}
    answer = requests.post(f"{grid.url}/agent/hello", json=late, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    answer = requests.post(f"{grid.url}/agent/bye", json={"session": "earlier"}, headers=headers, timeout=5)
    assert answer.status_code == 200
    assert job.result(timeout=40) == 1.5
    assert job.row()["attempt"] == 1
    assert is_connected(node)


def test_answers_of_something_else(grid: Grid) -> None:
    """An agent goes on to its next controller where a page of something else answers, or nothing does."""
    with HTTPServer(("127.0.0.1", 0), NoController) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        elsewhere = f"http://127.0.0.1:{other.server_port}"
        grid.start_agent("one", "", "--controller", elsewhere, "--controller", "http://127.0.0.1:1")
        found = wait_for(lambda: Node.rows({"connected": True}), 60, "the agent finds its controller")
        assert grid.dal.node(found[0]["id"]).run("test/echo", value=1) == 1
        other.shutdown()
