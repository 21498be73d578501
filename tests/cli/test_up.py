"""The life of the product: start, readiness, clean end, crash, and what keeps it from starting."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from product import Product, free_port, run, start, wait_for

TEST = ("--hypervisor", "test")
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def state() -> Iterator[Path]:
    """Give a short-pathed state folder, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def family(product: Product) -> list[psutil.Process]:
    """Return the process and all that it has started."""
    root = psutil.Process(product.process.pid)
    return [root, *root.children(recursive=True)]


def agents(product: Product) -> list[int]:
    """Return the process ids of the agent; a process that has just ended has no command line any more."""
    found = psutil.Process(product.process.pid).children()
    return [process.pid for process in found if "-m agent" in " ".join(_command(process))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def names(processes: list[psutil.Process]) -> set[str]:
    return {process.name() for process in processes}


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_interrupt_stops_everything_and_data_stay(state: Path) -> None:
    """Ctrl-C ends every process with status 0; the next start serves the same data with the same password."""
    product = start(state, *TEST)
    started = family(product)
    assert "mongod" in names(started)
    password = product.password
    assert requests.get(f"{product.url}/readyz", timeout=5).json()["nodes"] == 1
    assert product.stop(signal.SIGINT) == 0
    assert not alive(started)
    again = start(state, *TEST)
    assert again.password == password
    assert requests.get(f"{again.url}/healthz", timeout=5).json() == {"status": "ok"}
    assert again.stop(signal.SIGTERM) == 0


def test_killed_parent_leaves_nothing_behind(state: Path) -> None:
    """After kill -9 of the parent no mongod, agent or worker stays, and the next start works on the same data."""
    product = start(state, *TEST)
    started = family(product)
    product.process.kill()
    product.process.wait()
    wait_for(lambda: not alive(started), 20, "the end of all children")
    again = start(state, *TEST)
    assert requests.get(f"{again.url}/readyz", timeout=5).status_code == 200
    again.stop()


def test_taken_port_is_one_line(state: Path) -> None:
    """A port that is taken ends the start with one clear line and status 1, before any database was started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("up", "--state", str(state), "--port", str(port), *TEST)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"portalfw: Port {port} on 127.0.0.1 cannot be used: Address already in use. Choose another with --port."
    )
    assert not (state / "mongod").exists()


def test_state_folder_in_use_is_one_line(state: Path) -> None:
    """A second portal on the same state folder is refused, naming the process that has it."""
    product = start(state, *TEST)
    done = run("up", "--state", str(state), "--port", str(free_port()), *TEST)
    product.stop()
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"is in use by process {product.process.pid}" in done.stderr


def test_database_in_use_is_one_line(state: Path) -> None:
    """A database folder that another mongod serves ends the start with one line that names its process."""
    product = start(state, *TEST)
    other = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    (other / "mongod").symlink_to(state / "mongod")
    done = run("up", "--state", str(other), "--port", str(free_port()), *TEST)
    product.stop()
    shutil.rmtree(other)
    assert done.returncode == 1
    assert "is in use by process" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: a full disk is made by mounting a small tmpfs")
def test_full_disk_is_one_line(state: Path) -> None:
    """A full disk ends the start with one line that says how much is free."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(state)], check=True)
    try:
        done = run("up", "--state", str(state), "--port", str(free_port()), *TEST)
    finally:
        subprocess.run(["umount", str(state)], check=True)
    assert done.returncode == 1
    assert "is full" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_dead_database_ends_the_product(state: Path) -> None:
    """When mongod is killed the product says so and ends with status 1 instead of serving errors for ever."""
    product = start(state, *TEST)
    mongod = next(process for process in family(product) if process.name() == "mongod")
    mongod.kill()
    assert product.process.wait(30) == 1
    wait_for(lambda: "MongoDB has ended unexpectedly" in "".join(product.said), 10, "the reason")


def test_killed_agent_comes_back(state: Path) -> None:
    """A killed agent is started again and connects as the same node."""
    product = start(state, *TEST)
    killed = agents(product)[0]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: [pid for pid in agents(product) if pid != killed], 20, "a new agent process")
    wait_for(lambda: requests.get(f"{product.url}/readyz", timeout=5).json()["nodes"] == 1, 20, "the node being back")
    product.stop()
