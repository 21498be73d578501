"""The Datacenter Abstraction Layer, from outside and from within: one interface, the same answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from product import REPOSITORY, Product, wait_for

from portalfw.cli.database import opened
from portalfw.dal import Datacenter, Installation, JobFailedError, as_completed
from portalfw.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError
from portalfw.runtime import Runtime
from portalfw.settings import Settings

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def within(product: Product) -> Iterator[Installation[Any]]:
    """A second process of the same installation, which this one is: its database, its agents."""
    content = [REPOSITORY, REPOSITORY / "tests" / "content"]
    settings = Settings(state=product.state, content=content)
    with opened(settings) as database:
        runtime = Runtime(settings, database)
        runtime.bus.start()
        runtime.controller.wake.start()
        yield runtime.dal
        runtime.controller.wake.stop()
        runtime.bus.stop()


@pytest.fixture(params=["remote", "local"])
def dc(request: pytest.FixtureRequest, product: Product) -> Installation[Any]:
    if request.param == "remote":
        return Datacenter(product.url, product.token)
    found: Installation[Any] = request.getfixturevalue("within")
    return found


def test_a_script_on_a_node(dc: Installation[Any]) -> None:
    """A script runs on a node or on any of a role and its result comes back; what cannot be is an error by its kind."""
    node = dc.node(1)
    assert node.run("lab/count", count=2, words=["a"])["words"] == ["a"]
    assert dc.role("cpunode", "storagenode", gid=1).run("lab/count", count=1)["counted"] == 1
    job = node.submit("lab/count", count=1, fail=True, priority=3)
    assert job.wait(60) == "ERROR"
    with pytest.raises(JobFailedError, match="asked to fail") as failed:
        job.result()
    assert failed.value.state == "ERROR"
    info = job.info()
    assert (info.id, info.script, info.node_id, info.ok) == (job.id, "lab/count", 1, False)
    assert info.node == node.info().name
    assert list(job.results()) == [info]
    with pytest.raises(ConflictError, match="confirm"):
        job.retry()
    assert job.retry(confirmed=True).wait(60) == "ERROR"
    with pytest.raises(InvalidError, match="count"):
        node.run("lab/count", count="many")
    with pytest.raises(NotFoundError):
        node.run("lab/nothing")
    with pytest.raises(UnavailableError):
        dc.role("nobody").run("lab/count", count=1)
    with pytest.raises(NotFoundError):
        dc.job(2**30).info()
    assert job.id in [one.id for one in dc.jobs(script="lab/count", state="FAILED")]


def test_nodes(dc: Installation[Any]) -> None:
    """Nodes are listed with what they are for, and tell their facts."""
    (first,) = [one for one in dc.nodes() if one.id == 1]
    assert "cpunode" in first.roles
    assert dc.node(1).info() == first
    assert first in dc.role("cpunode", "storagenode").nodes()
    assert not dc.role("cpunode", gid=77).nodes()
    assert not dc.role("cpu").nodes()
    assert first in dc.role("cpunode", gid=first.gid).nodes()
    with pytest.raises(InvalidError, match="state: one of QUEUED"):
        dc.jobs(state="BAD")
    assert dc.node(1).facts()["hostname"]
    with pytest.raises(NotFoundError):
        dc.node(4711).info()


def test_what_a_job_says(dc: Installation[Any]) -> None:
    """Lines come while the job runs, from the first one on, and end with it; a cancelled job says why."""
    job = dc.node(1).submit("lab/count", count=200, every=0.1)
    lines = job.stream()
    assert next(lines).text == "up 0"
    assert not job.state.ended
    with pytest.raises(UnavailableError, match="still"):
        job.result(timeout=0.1)
    job.cancel("enough")
    said = [line.text for line in lines]
    assert said[:1] == ["up 1"]
    assert job.wait(30) == "CANCELLED"
    assert "enough" in job.info().reason
    with pytest.raises(ConflictError):
        job.cancel("again")


def test_on_all_nodes(dc: Installation[Any]) -> None:
    """A script on all nodes of roles yields what each came to; its job has a summary."""
    results = list(dc.role("cpunode").run_all("lab/count", count=1, expires=30.0))
    assert [(one.node_id, one.script, one.value()["counted"]) for one in results] == [(1, "lab/count", 1)]
    job = dc.role("cpunode").submit_all("lab/count", count=1, fail=True, batch=1, stop_on_failure=True)
    assert [one.state for one in job.results()] == ["ERROR"]
    summary = job.summary()
    assert summary is not None
    assert (summary.total, summary.ended, summary.counts) == (1, 1, {"ERROR": 1})
    assert dc.node(1).submit("lab/count", count=0).summary() is None


def test_as_completed(dc: Installation[Any]) -> None:
    """Jobs are given in the order in which they end; who does not want to wait longer is told so."""
    slow, fast = (dc.node(1).submit("lab/count", count=count, every=0.5) for count in (6, 0))
    assert [job.id for job in as_completed([slow, fast], timeout=60)] == [fast.id, slow.id]
    endless = dc.node(1).submit("lab/count", count=100, every=0.5)
    with pytest.raises(UnavailableError, match="1 jobs have not ended"):
        list(dc.as_completed([endless, fast], timeout=0.2))
    endless.cancel("seen")
    assert list(as_completed([])) == []


def test_schedules(dc: Installation[Any]) -> None:
    """A schedule is made, changed, run at once, put to rest and deleted."""
    name = f"dal {uuid.uuid4().hex[:8]}"
    made = dc.schedules.create(name, "lab/count", "3 4 5 6 *", roles=["cpunode"], args={"count": 1}, jitter=2.0)
    assert (made.when, made.roles, made.args, made.enabled, made.jitter) == (
        "3 4 5 6 *",
        ("cpunode",),
        {"count": 1},
        True,
        2.0,
    )
    with pytest.raises(ConflictError):
        dc.schedules.create(name, "lab/count", "60", args={"count": 1})
    with pytest.raises(InvalidError):
        dc.schedules.update(made.id, when="never")
    assert dc.schedules.update(made.id, args={"count": 2}, overlap="queue").overlap == "queue"
    job = dc.schedules.run(made.id)
    assert [one.value()["counted"] for one in job.results()] == [2]
    assert not dc.schedules.runs(made.id)  # what is run by hand is no occurrence
    dc.schedules.disable(made.id)
    assert not dc.schedules.get(name).enabled
    dc.schedules.enable(made.id)
    assert name in [one.name for one in dc.schedules.list()]
    dc.schedules.delete(made.id)
    with pytest.raises(NotFoundError):
        dc.schedules.get(name)


def test_statistics(dc: Installation[Any]) -> None:
    """Figures of a node come as series of points, of what it says that there is."""
    things = wait_for(lambda: dc.node(1).things("filesystem"), 60, "the first sample")

    def measured() -> Any:
        series = dc.node(1).statistics("cpu", "memory", last=600)
        return series if all(one.points for one in series) else None

    cpu, memory = wait_for(measured, 60, "two samples")
    assert (cpu.figure, cpu.unit, memory.figure, cpu.step) == ("cpu", "%", "memory", 10)
    assert all(point.value is None or 0 <= point.value <= 100 for point in cpu.points)
    assert dc.node(1).statistics("used", kind="filesystem", key=things[0].key)[0].points
    with pytest.raises(InvalidError):
        dc.node(1).statistics("no figure")


def test_who_may_not(product: Product) -> None:
    """A wrong token, and an address where no portal is, are errors of their kinds."""
    with pytest.raises(UnauthenticatedError):
        Datacenter(product.url, "nobody").nodes()
    with pytest.raises(UnavailableError, match="does not answer"):
        Datacenter("http://127.0.0.1:9", product.token).nodes()
