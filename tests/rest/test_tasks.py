"""The asynchronous call style, as the Go clients use it."""

from __future__ import annotations

import datetime as dt
import signal
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
from product import REPOSITORY, Product, running, start, wait_for
from pymongo.database import Database

from portalfw.rest.tasks import QUICK, Outcome
from portalfw.store import Mongod

ECHO = "lab/kettle/echo"
BREW = "lab/samovar/brew"
CONTENT = REPOSITORY / "tests" / "content"


def task_of(answer: requests.Response) -> str:
    """Take the id as the Go clients do: they strip the quotes and nothing else."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    found = answer.text.strip('"')
    assert str(uuid.UUID(found)) == found
    return found


def poll(product: Product, task: str, token: str | None = None) -> Any:
    answer = product.call("system/task/get", token, taskguid=task)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def outcome(product: Product, task: str) -> Any:
    return wait_for(lambda: poll(product, task), 20, f"task {task} ending")


@pytest.fixture(scope="module")
def someone(product: Product) -> str:
    return product.user_token("samovarist")


def test_a_quick_call_is_finished_at_the_first_poll(product: Product) -> None:
    """The answer is a task id without newline, and the first poll has the answer of the method."""
    task = task_of(product.call(ECHO, cupCount=3, _async=True))
    assert poll(product, task) == [
        True,
        {"cupCount": 3, "hot": True, "label": "", "names": None, "extra": None, "kind": "tea"},
    ]
    assert poll(product, task)[0] is True  # it can be asked for again


@pytest.mark.parametrize("value", ["True", "true", "1"])
def test_the_wish_may_be_text(product: Product, value: str) -> None:
    """Query strings and forms ask for a task by text."""
    url = f"{product.url}/restmachine/{ECHO}"
    for sent in ({"params": {"cupCount": 1, "_async": value}}, {"data": {"cupCount": 1, "_async": value}}):
        task_of(requests.post(url, timeout=10, **sent))


def test_without_the_wish_the_answer_is_direct(product: Product) -> None:
    """A call whose ``_async`` is false or left out answers directly."""
    for value in (False, "False", "0", None):
        assert product.ask(ECHO, cupCount=1, _async=value)["cupCount"] == 1


def test_an_unfinished_task_answers_an_empty_list(product: Product) -> None:
    """A slow call answers its id at once, ``[]`` while under way, and its result in the end."""
    began = time.monotonic()
    task = task_of(product.call(BREW, seconds=1.5, cups=2, _async=True))
    assert time.monotonic() - began < 1.0 + QUICK
    assert poll(product, task) == []
    assert outcome(product, task) == [True, {"cups": 2}]


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_a_failed_task_tells_why(product: Product, seconds: float) -> None:
    """A call that fails after it was begun ends as false and the message, quick or slow."""
    task = task_of(product.call("lab/samovar/spill", seconds=seconds, _async=True))
    assert outcome(product, task) == [False, "Samovar 1 is EMPTY; this needs FULL."]


def test_the_unforeseen_ends_a_task(product: Product) -> None:
    """A method that breaks, or answers with what is not JSON, ends its task without a trace in the message."""
    for address in ("lab/kettle/overheat", "lab/samovar/forget"):
        ok, message = outcome(product, task_of(product.call(address, _async=True)))
        assert ok is False
        assert address in message
        assert "Traceback" not in message


def test_refusals_come_at_once(product: Product, someone: str) -> None:
    """Wrong arguments and missing rights are answered with their status instead of a task id."""
    assert product.call(ECHO, _async=True).status_code == 400
    assert product.call(BREW, seconds="long", _async=True).json()["detail"]["argument"] == "seconds"
    assert product.call("lab/kettle/overheat", someone, _async=True).status_code == 403
    assert product.call("lab/kettle/nothing", _async=True).status_code == 404
    guest = requests.post(f"{product.url}/restmachine/lab/kettle/boil", json={"_async": True}, timeout=10)
    assert guest.status_code == 401


def test_an_asynchronous_call_is_on_record_once(product: Product) -> None:
    """The audit record of an asynchronous call is that of the call itself."""
    outcome(product, task_of(product.call("lab/kettle/lock", key="secret", cupId=77, _async=True)))
    records = product.ask("system/audits/listAudits", tag="cupId:77")
    assert [record["call"] for record in records] == ["lab/kettle/lock"]


def test_only_its_owner_and_administrators_see_a_task(product: Product, someone: str) -> None:
    """Another user gets 403, a guest too, an administrator the outcome; an unknown id is 404."""
    task = task_of(product.call(ECHO, someone, cupCount=1, _async=True))
    assert poll(product, task, someone)[0] is True
    assert poll(product, task)[0] is True
    other = product.user_token("samovar-stranger")
    assert product.call("system/task/get", other, taskguid=task).status_code == 403
    url = f"{product.url}/restmachine/system/task/get"
    assert requests.post(url, json={"taskguid": task}, timeout=10).status_code == 403
    assert product.call("system/task/get", taskguid=str(uuid.uuid4())).status_code == 404


def test_a_narrow_credential_sees_only_its_own_tasks(product: Product) -> None:
    """A limited token reads the outcome of what it started, not what its owner's wider credential was told."""
    narrow = product.ask("system/tokens/create", name="poller", readonly=True, apps=["lab"])
    own = task_of(product.call(ECHO, narrow, cupCount=1, _async=True))
    assert poll(product, own, narrow)[0] is True
    wide = task_of(product.call(ECHO, cupCount=1, _async=True))
    assert product.call("system/task/get", narrow, taskguid=wide).status_code == 403


def test_tasks_are_listed(product: Product, someone: str) -> None:
    """A user lists its own tasks, an administrator those of all."""
    mine = task_of(product.call(ECHO, someone, cupCount=1, _async=True))
    theirs = task_of(product.call(ECHO, cupCount=1, _async=True))
    listed = {row["guid"]: row for row in product.call("system/task/list", someone).json()}
    assert mine in listed
    assert theirs not in listed
    assert listed[mine]["ok"] is True
    assert {mine, theirs} <= {row["guid"] for row in product.ask("system/task/list", limit=500)}


def test_a_killed_task_says_who_ended_it(product: Product, someone: str) -> None:
    """Killing ends the call where it runs; strangers may not, and what has ended cannot be killed."""
    task = task_of(product.call(BREW, someone, seconds=60, _async=True))
    stranger = product.user_token("samovar-thief")
    assert product.call("system/task/kill", stranger, taskguid=task).status_code == 403
    assert product.ask("system/task/kill", taskguid=task) is True
    assert poll(product, task, someone) == [False, "Killed by admin."]
    assert product.call("system/task/kill", taskguid=task).status_code == 409


def test_the_job_of_a_killed_call_is_cancelled(product: Product) -> None:
    """Who ends a call that waits for its job ends that too, wherever it has got to, and it says who did."""
    wish = {"name": "lab/count", "nid": 1, "args": {"count": 3000, "every": 0.02}}
    task = task_of(product.call("system/agentcontroller/executeJumpscript", **wish, _async=True))
    jobs = {"script": "lab/count", "state": "RUNNING"}
    (job,) = wait_for(lambda: product.ask("system/gridmanager/getJobs", **jobs), what="its job runs")
    assert product.ask("system/task/kill", taskguid=task) is True

    def ended() -> dict[str, object] | None:
        found = product.ask("system/gridmanager/getJob", jobId=job["id"])
        return None if found["open"] else found

    found = wait_for(ended, what="its job ends")
    assert (found["status"], found["reason"]) == ("CANCELLED", "Killed by admin.")


def test_any_process_answers_for_a_task() -> None:
    """A second portal on the same database tells the outcome of the first one's tasks, and ends them when asked."""
    flags = ("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(CONTENT))
    with running(*flags) as first, tempfile.TemporaryDirectory(prefix="pfw-", dir="/tmp") as folder:
        second = start(Path(folder), *flags, "--mongodb-uri", Mongod(first.state / "mongod").uri)
        try:
            second.token = first.token
            done = task_of(first.call(ECHO, cupCount=4, _async=True))
            assert poll(second, done)[1]["cupCount"] == 4
            task = task_of(first.call(BREW, seconds=120, _async=True))
            assert poll(second, task) == []
            assert second.ask("system/task/kill", taskguid=task) is True
            assert poll(first, task) == poll(second, task) == [False, "Killed by admin."]
        finally:
            second.stop()


def test_a_task_of_a_dead_process_ends() -> None:
    """When the process that ran a task is gone, the task ends with the reason; outcomes survive it."""
    with running("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(CONTENT)) as first:
        done = task_of(first.call(ECHO, cupCount=4, _async=True))
        lost = task_of(first.call(BREW, seconds=120, _async=True))
        assert poll(first, lost) == []
        first.stop(signal.SIGKILL)
        second = start(first.state, "--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(CONTENT))
        try:
            second.token = first.token
            assert poll(second, done)[1]["cupCount"] == 4
            ok, reason = wait_for(lambda: poll(second, lost), 40, "the lost task ending")
            assert ok is False
            assert "has ended" in reason
        finally:
            second.stop()


def test_outcomes_are_kept_for_ten_minutes(database: Database[dict[str, Any]]) -> None:
    """MongoDB itself drops a task, ten minutes after its end and not before."""
    indexes = database["task"].index_information().values()
    assert [index["key"] for index in indexes if index.get("expireAfterSeconds") == 0] == [[("expires", 1)]]
    expires = Outcome(b"1").fields()["expires"]
    assert 595 < (expires - dt.datetime.now(dt.UTC)).total_seconds() <= 600
