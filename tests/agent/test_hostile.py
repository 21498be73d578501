"""Scripts that do what they should not: each has an end of its own, and the agent goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from grid import Grid, wait_for
from test_run import failed, gone

from agent.cgroup import delegated
from agent.protocol import JobState
from agent.worker import Channel, Printed
from portalfw.errors import InvalidError

MIB = 2**20
GIGABYTE = 1000  # MiB
ROOM = 60 * MIB  # what an agent may take more for a job that has said all that it may


def test_memory(node: Any) -> None:
    """A script that eats memory ends as ERROR with its limit and how to raise it; what it may take, it gets."""
    error = failed(node, "test/hostile", how="eat", size=500)
    assert error.state is JobState.ERROR
    assert error.reason == (
        "the script needed more than its memory limit of 200 MiB; its header can ask for more: memory = 400"
    )
    assert node.run("test/hostile", how="eat", size=20) == 20 * MIB


def test_memory_of_children(node: Any) -> None:
    """What a script starts has the script's limit."""
    assert node.run("test/hostile", how="children eat", size=500) == 1
    assert node.run("test/hostile", how="children eat", size=20) == 0


def test_processor_time(node: Any) -> None:
    """A script that computes for longer than its limit of processor time ends as ERROR, however long it may wait."""
    assert failed(node, "test/hostile", how="spin").reason == (
        "the script used more processor time than its limit of 1 s; its header can ask for more: cpu = 2"
    )


def test_detached_processes(node: Any) -> None:
    """What a script leaves behind is gone when its job has ended, also what has made itself a daemon."""
    for pid in node.run("test/hostile", how="detach"):
        assert gone(pid)


@pytest.mark.skipif(delegated() is None, reason="no control groups (cgroup v2) may be made here")
def test_detached_from_a_worker_that_dies(node: Any) -> None:
    """Where control groups can be made, what a script has detached is gone also if it ends its own worker."""
    job = node.submit("test/hostile", how="leave")
    assert job.wait(30) is JobState.ERROR
    assert "exit status 3" in job.row()["reason"]
    for pid in job.output()[0]["text"].split():
        wait_for(lambda pid=pid: gone(int(pid)), 10)


def test_daemons(shared: Grid, node: Any) -> None:
    """Where the header says so, what a script starts outlives its job, and the jobs after it."""
    text = Path(__file__).parent / "scripts" / "jumpscripts" / "test" / "hostile.py"
    shared.write_script("daemons", f"{text.read_text()}\ndaemons = True\n")
    daemons = node.run("test/daemons", how="detach")
    for _ in range(3):
        node.run("test/echo", value=1)
    assert not any(gone(pid) for pid in daemons)
    for pid in daemons:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["print", "child prints"])
def test_a_gigabyte_of_output(shared: Grid, node: Any, how: str) -> None:
    """A script that prints a gigabyte has its output cut, and neither agent nor controller grows with it."""
    agent, controller = psutil.Process(shared.agents[-1].pid), psutil.Process()
    before = agent.memory_info().rss, controller.memory_info().rss
    job = node.submit("test/hostile", how=how, size=GIGABYTE)
    assert job.wait(60) is JobState.OK, job.row()
    lines = job.output()
    assert lines[-1]["text"].startswith("Output is cut here"), lines[-1]
    assert sum(len(line["text"]) for line in lines) < 5 * MIB
    assert agent.memory_info().rss - before[0] < ROOM
    assert controller.memory_info().rss - before[1] < 3 * ROOM  # this process is the test as well


def test_very_long_line() -> None:
    """A single line of a gigabyte costs no more than reading it once, and what was cut is let go."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    channel = Channel(writer)
    channel.begin()
    channel._size = 2**30
    printed = Printed(channel, "stdout")
    assert printed.write("x" * 64 * MIB) == 64 * MIB
    assert not printed._rest
    os.close(reader)
    os.close(writer)


def test_malformed_scripts(shared: Grid, node: Any) -> None:
    """A script that is no script is refused before there is a job, with its name and the line; others run on."""
    for name, text, message in (
        ("syntax", "descr = 'x'\n\ndef action(:\n", r"test/syntax is broken: it is not Python: .*line 3"),
        ("headless", "def action(): ...\n", "test/headless is broken: its header has no descr"),
        ("actionless", "descr = 'x'\n", r"test/actionless is broken: it has no function action\(\)"),
        ("wrong", "descr = 'x'\nmemory = 'much'\ndef action(): ...\n", "line 2: memory is 'much', not int"),
        ("nothing", "descr = 'x'\nmemory = 0\ndef action(): ...\n", "its memory is 0; it must be more than 0"),
    ):
        shared.write_script(name, text)
        with pytest.raises(InvalidError, match=message):
            node.run(f"test/{name}")
    shared.write_script("undone", "descr = 'x'\ndef action(): ...\ndel action\n")
    assert "no function action()" in failed(node, "test/undone").reason
    shared.write_script("importing", "import no_such_module\ndescr = 'x'\ndef action(): ...\n")
    assert failed(node, "test/importing").reason == "ModuleNotFoundError: No module named 'no_such_module'"
    assert node.run("test/echo", value=1) == 1


def test_idle_worker_that_dies(shared: Grid, node: Any) -> None:
    """A warm worker that is killed between two jobs does not stay as a zombie, and the next job finds another one."""
    pid = node.run("test/where")["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid), 15, "the agent buries its worker")
    assert f"worker {pid} of the queue default has ended between two jobs" in shared.log()
    assert node.run("test/echo", value=1) == 1
