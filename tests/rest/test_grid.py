"""The grid for operators over REST: jobs that are found again, their output, attempts and numbers."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from product import Product, wait_for

RUN = "system/agentcontroller/executeJumpscript"
JOBS = "system/gridmanager/getJobs"
OUTPUT = "system/gridmanager/getJobOutput"
LOGS = "system/gridmanager/getLogs"


def count(product: Product, **arguments: Any) -> int:
    """Run the script that counts, to its end, and return its job."""
    return int(product.ask(RUN, name="lab/count", nid=1, args={"count": 3, **arguments})["id"])


def test_output_is_numbered_and_can_be_cut(product: Product) -> None:
    """Each line has its number, also where only the last ones are asked; of a job that is gone there is none."""
    job = count(product, count=600)
    lines = product.ask(OUTPUT, jobId=job)
    assert [line["n"] for line in lines] == list(range(1, 601))
    assert lines[-1]["text"] == "up 599"
    assert product.ask(OUTPUT, jobId=job, last=5) == lines[-5:]
    assert product.ask(OUTPUT, jobId=job, attempt=2) == []
    news = product.ask("system/gridmanager/followJob", jobId=job, line=598)
    assert [line["text"] for line in news["lines"]] == ["up 598", "up 599"]
    for missing in ({}, {"attempt": 1}):
        assert product.call(OUTPUT, jobId=987_654, **missing).status_code == 404


def test_what_jobs_say_is_found_without_knowing_which(product: Product) -> None:
    """Lines of all jobs come newest first, by words, level, script, node and time; each leads to its job."""
    begin, job = time.time(), count(product)
    found = product.ask(LOGS, nodeId=1, script="lab/count", text="UP 1", **{"from": str(begin - 60)})["lines"]
    (line,) = [one for one in found if one["job_id"] == job]
    assert (line["level"], line["text"], line["n"], line["attempt"], line["node_id"]) == ("stdout", "up 1", 2, 1, 1)
    said = product.ask(LOGS, jobId=job, limit=2)
    assert [one["text"] for one in said["lines"]] == ["up 2", "up 1"]
    assert [one["text"] for one in product.ask(LOGS, jobId=job, before=said["older"])["lines"]] == ["up 0"]
    assert product.ask(LOGS, jobId=job, level="warning") == {"lines": [], "older": "", "searched": None}
    assert product.ask(LOGS, jobId=job, to="-1d")["lines"] == []
    for wrong in ({"before": "yesterday"}, {"from": "soon"}):
        assert product.call(LOGS, **wrong).status_code == 400


def test_jobs_are_found_by_what_is_known_of_them(product: Product) -> None:
    """By script, user, time and how they stand: under way, or ended as nobody wished."""
    good, bad = count(product), count(product, fail=True)

    def found(**wanted: Any) -> set[int]:
        return {row["id"] for row in product.ask(JOBS, script="lab/count", **wanted)}

    assert {good, bad} <= found(submittedBy="admin", within=600)
    assert bad in found(state="FAILED")
    assert good not in found(state="FAILED")
    assert not {good, bad} & found(state="OPEN")
    assert not {good, bad} & found(submittedBy="nobody")
    assert not {good, bad} & found(queue="io")


def test_housekeeping_can_be_left_out(product: Product) -> None:
    """What a schedule or the platform makes by itself is left out if asked; what somebody runs by hand never is."""
    by_hand = {count(product), product.ask(RUN, name="libvirt/listmachines", nid=1)["id"]}
    fan = product.ask(RUN, name="lab/count", role="*", all=True, args={"count": 1})["id"]
    by_hand |= {fan} | {row["id"] for row in product.ask(JOBS, parentId=fan)}
    looks = {"script": "libvirt/listmachines", "submittedBy": ""}
    wait_for(lambda: product.ask(JOBS, **looks), what="a look at the machines")
    assert not product.ask(JOBS, **looks, housekeeping=False)
    kept, everything = product.ask(JOBS, housekeeping=False, limit=500), product.ask(JOBS, limit=500)
    of_people = {row["id"] for row in kept}
    assert by_hand <= of_people
    itself = {row["submitted_by"] for row in everything if row["id"] not in of_people}
    assert not {name for name in itself if name and not name.startswith("schedule ") and name != "health"}


def test_a_job_tells_its_attempts(product: Product) -> None:
    """One that failed says when each attempt began, how it ended and why, and that running it again wants care."""
    job = product.ask("system/gridmanager/getJob", jobId=count(product, fail=True))
    (attempt,) = job["attempts"]
    assert (attempt["attempt"], attempt["status"], attempt["reason"]) == (1, "ERROR", "ValueError: asked to fail")
    assert attempt["started"] <= attempt["ended"]
    assert [step["step"] for step in job["history"]] == ["Queued", "Handed to the node", "Began", "Error"]
    assert job["retry_needs_confirmation"]
    assert not job["open"]


def test_a_schedule_can_be_changed_and_run_now(product: Product) -> None:
    """What is given is changed and the rest stays; it runs once more at once; what makes no sense is refused."""
    update = "system/schedules/update"
    wanted = {"name": "counting", "script": "lab/count", "when": "3600", "args": {"count": 1}, "on": "any"}
    schedule = product.ask("system/schedules/create", **wanted)
    product.ask(update, scheduleId=schedule, when="30 4 * * *", args={"count": 2}, jitter=5, timeout=20)
    row = product.ask("system/schedules/get", scheduleId=schedule)
    assert (row["when"], row["args"], row["jitter"], row["on"]) == ("30 4 * * *", {"count": 2}, 5, "any")
    assert row["due"] % 86400 == 4.5 * 3600
    job = product.ask("system/schedules/runNow", scheduleId=schedule)
    wait_for(lambda: product.ask("system/gridmanager/getJob", jobId=job)["status"] == "OK", 30, "the job")
    assert [one["id"] for one in product.ask(JOBS, scheduleId=schedule)] == [job]
    for wrong, argument in (
        ({"when": "often"}, "when"),
        ({"when": ""}, "when"),
        ({"args": {"count": "x"}}, "count"),
        ({"jitter": -1}, "jitter"),
    ):
        answer = product.call(update, scheduleId=schedule, **wrong)
        assert (answer.status_code, answer.json()["detail"]["argument"]) == (400, argument)
    assert product.ask("system/schedules/get", scheduleId=schedule)["when"] == "30 4 * * *"
    product.ask("system/schedules/create", name="other", script="lab/count", when="3600", args={"count": 1})
    assert product.call(update, scheduleId=schedule, name="other").status_code == 409
    assert product.call(update, scheduleId=987_654).status_code == 404
    for name in ("counting", "other"):
        (found,) = product.ask("system/schedules/list", filter={"name": f"={name}"})
        product.ask("system/schedules/delete", scheduleId=found["id"])


def test_the_grid_at_a_glance(product: Product) -> None:
    """The map, the queues, the rates and the roles tell of the one node what its jobs came to."""
    began = time.time()
    count(product)
    count(product, fail=True)
    (tile,) = product.ask("system/gridmanager/getMap")
    assert (tile["id"], tile["state"], tile["place"]) == (1, "ENABLED", "local")
    rates = product.ask("system/gridmanager/getJobRates", script="lab/count")
    assert rates["step"] == 60
    means = {row["label"]: max(value for _, value in row["points"]) for row in rates["series"]}
    assert means["Ended well"] > 0
    assert means["Failed"] > 0
    later = product.ask("system/gridmanager/getJobRates", **{"from": began - 86400, "to": began - 3600})
    assert later["step"] == 300
    queues = {row["queue"]: row for row in product.ask("system/gridmanager/getQueues", nodeId=1)}
    assert queues["default"]["rate"] > 0
    assert queues["default"]["node"] == tile["name"]
    assert product.ask("system/gridmanager/getQueues", nodeId=987) == []
    roles = product.ask("system/gridmanager/getRoles", every=True)
    assert [row["id"] for row in roles][:2] == ["*", "cpunode"]
    assert roles[1]["connected"] == 1
    (nic,) = product.ask("system/gridmanager/getNics", nodeId=1, filter={"name": "=lo"})
    assert "127.0.0.1/8" in nic["addresses"]


def test_what_waits_stands_in_its_queue(product: Product) -> None:
    """A job for a node that takes none waits there since it was made, until it is cancelled."""
    product.ask("system/gridmanager/disableNode", nodeId=1, reason="to let a job wait")
    try:
        job = product.ask(RUN, name="lab/count", nid=1, args={"count": 1}, wait=False, expires=600)["id"]
        (queue,) = product.ask("system/gridmanager/getQueues", nodeId=1, filter={"queue": "=default"})
        assert queue["waiting"] >= 1
        assert queue["oldest"] <= time.time()
        assert job in {row["id"] for row in product.ask(JOBS, state="OPEN")}
        product.ask("system/gridmanager/cancelJob", jobId=job, reason="seen")
    finally:
        product.ask("system/gridmanager/enableNode", nodeId=1, reason="")


def test_a_jumpscript_tells_its_texts(product: Product) -> None:
    """Its header and every text that it has had are told, and an old text can be read by its hash."""
    script = product.ask("system/agentcontroller/getJumpscript", name="lab/count")
    assert script["header"]["timeout"] == 60
    (version,) = [one for one in script["versions"] if one["current"]]
    assert version["sha256"] == script["sha256"]
    assert product.ask("system/agentcontroller/getJumpscript", name="lab/count", sha256=script["sha256"]) == script
    assert product.call("system/agentcontroller/getJumpscript", name="lab/count", sha256="0" * 64).status_code == 404
    assert script["arguments_schema"]["required"] == ["count"]


def test_machines_are_shown_as_found(product: Product) -> None:
    """What a node last said of its machines stands beside what the cloud knows."""
    product.ask(RUN, name="libvirt/listmachines", nid=1)
    rows = product.ask("system/gridmanager/getFoundMachines", nodeId=1)
    assert all(row["verdict"] in {"OK", "DIFFERS", "ORPHAN", "ABSENT"} for row in rows)
    assert product.ask("system/gridmanager/getFoundMachines", nodeId=987) == []


def test_processes_are_those_that_the_node_told_of(product: Product) -> None:
    """Once node/processes has run there, its processes are listed, those with most memory first, and found by name."""
    product.ask(RUN, name="node/processes", nid=1)
    rows = product.ask("system/gridmanager/getProcesses", nodeId=1)
    assert [row["memory"] for row in rows] == sorted((row["memory"] for row in rows), reverse=True)
    mongod = product.ask("system/gridmanager/getProcesses", nodeId=1, search="mongod")
    assert mongod
    assert all("mongod" in row["name"] + row["command"] for row in mongod)
    assert product.ask("system/gridmanager/getProcesses", nodeId=987) == []


def test_running_again_is_confirmed_where_it_has_to_be(product: Product) -> None:
    """What a page says of it is what the call asks for, of a fan-out too: its jobs have begun."""
    fan = product.ask(RUN, name="lab/count", role="*", all=True, args={"count": 1, "fail": True})["id"]
    job = product.ask("system/gridmanager/getJob", jobId=fan)
    assert job["can_retry"]
    assert job["retry_needs_confirmation"]
    assert product.call("system/gridmanager/retryJob", jobId=fan).status_code == 409
    assert product.ask("system/gridmanager/retryJob", jobId=fan, confirmed=True) > fan


def test_storage_pools_are_those_that_the_node_told_of(product: Product) -> None:
    """Once libvirt/listpools has run there, the pools that it answered are listed with how full they are."""
    told = {one["name"]: one for one in product.ask(RUN, name="libvirt/listpools", nid=1)["result"]}
    assert told
    rows = product.ask("system/gridmanager/getPools", nodeId=1)
    assert {row["name"] for row in rows} == set(told)
    for row in rows:
        pool = told[row["name"]]
        contents = pool.pop("contents")
        assert len(contents) == pool["volumes"]
        assert {name: row[name] for name in pool} == pool
        assert row["percent"] == pytest.approx(100 * pool["allocation"] / (pool["capacity"] or 1))
    assert product.ask("system/gridmanager/getPools", nodeId=987) == []


def test_one_node_has_no_way_to_another(product: Product) -> None:
    """What cannot be measured is refused with the reason, and nothing is listed as measured."""
    refused = product.call("system/gridmanager/measureLatency")
    assert (refused.status_code, "two nodes" in refused.json()["message"]) == (409, True)
    for target, status in ((1, 400), (987, 404)):
        answer = product.call("system/gridmanager/measureThroughput", fromNode=1, toNode=target)
        assert answer.status_code == status, answer.text
    assert product.call("system/gridmanager/measureThroughput", fromNode=1, toNode=1, seconds=60).status_code == 400
    assert product.ask("system/gridmanager/getLatency") == product.ask("system/gridmanager/getThroughput") == []


def test_pages_of_the_grid_have_no_failed_macro(product: Product) -> None:
    """Every page of the Grid Portal draws with what there is."""
    job = count(product)
    fan = product.ask(RUN, name="lab/count", role="*", all=True, args={"count": 1})["id"]
    schedule = product.ask("system/schedules/create", name="drawn", script="lab/count", when="3600", args={"count": 1})
    pages = ["", "/Nodes", "/Enrolment", "/Machines", "/Jobs?state=FAILED&within=3600", "/Queues", "/Schedules"]
    pages += ["/Processes", "/Processes?node=1", "/Storage", "/Storage?node=1", "/Network"]
    pages += ["/Logs", "/Logs?level=error&node=1&script=lab/count&text=no&from=-1h", f"/Logs?job={job}&before=1-1-1"]
    pages += ["/Node?id=1", "/NIC?node=1&nic=lo", "/Disk?node=1&kind=filesystem&disk=/", "/Disk?node=1&disk=vda"]
    pages += [f"/Job?id={job}", f"/Job?id={fan}", f"/Schedule?id={schedule}", "/JumpScript?name=lab/count"]
    for page in pages:
        drawn = product_page(product, f"/grid{page}")
        assert 'class="macro-error"' not in drawn, page
    product.ask("system/schedules/delete", scheduleId=schedule)


def product_page(product: Product, path: str) -> str:
    """Return a page as the administrator sees it."""
    response = requests.get(product.url + path, headers={"Authorization": f"Bearer {product.token}"}, timeout=30)
    assert response.status_code == 200, path
    return response.text
