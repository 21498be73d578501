"""How far a long call is: written down while it runs, told as events and by ``system/task/status``."""

from __future__ import annotations

import importlib.util
import json
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from cloud_steps import TINY_MEMORY, Cloud
from product import REPOSITORY, Product, run, running, start, wait_for

from portalfw.progress import LONGEST, MOST, Steps
from portalfw.store import Mongod

SERVE = "lab/samovar/serve"
BREW = "lab/samovar/brew"
CONTENT = REPOSITORY / "tests" / "content"
Told = tuple[str, dict[str, Any]]


def begin(product: Product, address: str, token: str | None = None, **arguments: Any) -> str:
    """Begin a call and return the id of its task."""
    found: str = product.call(address, token, **arguments, _async=True).json()
    return found


def events(product: Product, topics: str, token: str | None = None) -> Iterator[Told]:
    """Yield the events of a stream by name and data, an empty name for a line that only shows that it lives."""
    headers = {"Authorization": f"Bearer {product.token if token is None else token}"}
    url = f"{product.url}/events?topics={topics}"
    with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
        assert answer.status_code == 200, answer.text
        name = ""
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith(":"):
                yield "", {}
            elif line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def followed(product: Product, task: str, token: str | None = None) -> list[dict[str, Any]]:
    """Return what a stream tells of a task until it has ended."""
    found = []
    with closing(events(product, f"task:{task}", token)) as stream:
        for name, data in stream:
            if name == "task":
                found.append(data)
                if data["finished"] is not None:
                    return found
    raise AssertionError("The stream broke off.")


def status(product: Product, task: str, token: str | None = None, **more: Any) -> dict[str, Any]:
    answer = product.call("system/task/status", token, taskguid=task, **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ended(product: Product, task: str) -> dict[str, Any]:
    """Return the status of a task that has ended, waiting for that."""

    def found() -> dict[str, Any] | None:
        row = status(product, task, wait=5)
        return row if row["finished"] is not None else None

    row: dict[str, Any] = wait_for(found, 30, f"task {task} ending")
    return row


@pytest.fixture(scope="module")
def someone(product: Product) -> str:
    return product.user_token("tea-drinker")


def test_steps_come_in_order_in_another_process() -> None:
    """A stream of a second portal on the same database brings every step once, in order, and the end last."""
    flags = ("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(CONTENT))
    with running(*flags) as first, tempfile.TemporaryDirectory(prefix="pfw-", dir="/tmp") as folder:
        second = start(Path(folder), *flags, "--mongodb-uri", Mongod(first.state / "mongod").uri)
        try:
            second.token = first.token
            task = begin(first, SERVE, cups=4, seconds=0.4)
            told = followed(second, task)
            assert status(second, task)["answer"] == {"cups": 4}
        finally:
            second.stop()
    assert len(told) > 3  # while it ran, not all at the end
    steps = [step for event in told for step in event["steps"]]
    wanted = ["heating the water"] + [text for cup in range(1, 5) for text in ("pouring", f"cup {cup} is served")]
    assert [step["text"] for step in steps] == wanted
    assert [step["number"] for step in steps] == list(range(1, 10))
    assert steps[3] | {"at": 0, "revision": 0} == {
        "number": 4, "revision": 0, "at": 0, "level": "step", "text": "pouring", "done": 2.0, "total": 4.0,
    }  # fmt: skip
    last = told[-1]
    assert (last["outcome"], last["percent"], last["call"], last["error"]) == ("ok", 100.0, SERVE, None)
    assert last["started"] < last["finished"] < time.time() + 1
    assert "answer" not in last
    assert {event["outcome"] for event in told[:-1]} == {"running"}


def test_status_waits_for_news(product: Product, someone: str) -> None:
    """A question with ``since`` and ``wait`` is answered as soon as there is a later step, with nothing told twice."""
    task = begin(product, SERVE, someone, cups=3, seconds=0.4)
    seen: list[dict[str, Any]] = []
    asked = 0
    while True:
        row = status(product, task, someone, since=seen[-1]["revision"] if seen else 0, wait=10)
        seen += row["steps"]
        asked += 1
        if row["finished"] is not None:
            break
    assert [step["revision"] for step in seen] == list(range(1, 8))
    assert asked <= 10
    assert (row["outcome"], row["answer"]) == ("ok", {"cups": 3})
    began = time.monotonic()
    assert status(product, task, someone, since=99, wait=20)["steps"] == []  # it has ended, so nothing is waited for
    assert time.monotonic() - began < 5


def test_quick_call_has_its_steps(product: Product) -> None:
    """A call that was over before its id was given out tells its steps as well."""
    row = status(product, begin(product, SERVE, cups=1))
    assert [step["text"] for step in row["steps"]] == ["heating the water", "pouring", "cup 1 is served"]
    assert row["outcome"] == "ok"


def test_without_task_progress_costs_nothing(product: Product) -> None:
    """The same method answers directly when nobody follows it, and leaves no task behind."""
    before = len(product.ask("system/task/list", limit=500))
    assert product.ask(SERVE, cups=3) == {"cups": 3}
    assert len(product.ask("system/task/list", limit=500)) == before


def test_stranger_is_told_nothing(product: Product, someone: str) -> None:
    """Who neither started a call nor is an administrator learns nothing of it, not even by the topic of all tasks."""
    other = product.user_token("tea-stranger")
    task = begin(product, BREW, someone, seconds=60)
    assert product.call("system/task/status", other, taskguid=task).status_code == 403
    own = begin(product, BREW, other, seconds=60)
    with closing(events(product, f"task,task:{task},task:{own}", other)) as stream:
        first = [next(stream) for _ in range(3)]
        refused = [data for name, data in first if name == "refused"]
        assert [(data["topic"], data["error"]) for data in refused] == [(f"task:{task}", "forbidden")]
        product.ask("system/task/kill", taskguid=task)
        product.ask("system/task/kill", taskguid=own)
        for name, data in stream:
            assert task not in json.dumps(data)
            if name == "task" and data["finished"] is not None:
                break
    gone = str(uuid.uuid4())
    with closing(events(product, f"task:{gone}", other)) as stream:
        assert next(data for name, data in stream if name == "refused")["error"] == "not-found"
    headers = {"Authorization": "Bearer "}
    assert requests.get(f"{product.url}/events?topics=task:{task}", headers=headers, timeout=10).status_code == 401


def test_administrator_may_follow(product: Product, someone: str) -> None:
    """An administrator follows the call of somebody else."""
    task = begin(product, SERVE, someone, cups=1, seconds=0.2)
    assert followed(product, task)[-1]["user"] == "tea-drinker"


def test_killed_call_says_so(product: Product, someone: str) -> None:
    """The stream of a killed call ends with outcome ``killed`` and who did it."""
    task = begin(product, SERVE, someone, cups=100, seconds=0.2)
    with closing(events(product, f"task:{task}", someone)) as stream:
        assert next(data for name, data in stream if name == "task")["outcome"] == "running"
        product.ask("system/task/kill", taskguid=task)
        last = next(data for name, data in stream if name == "task" and data["finished"] is not None)
    assert (last["outcome"], last["error"]["message"], last["killed_by"]) == ("killed", "Killed by admin.", "admin")


def test_failed_call_ends_with_its_reason(product: Product) -> None:
    """The stream of a failing call ends with the error as the call itself would have answered it."""
    last = followed(product, begin(product, SERVE, cups=2, seconds=0.2, spill=True))[-1]
    error = last["error"]
    assert (last["outcome"], error["error"], error["message"], error["detail"]) == (
        "failed", "conflict", "Cup 2 was spilt; wipe the table.", {"argument": "cups"},
    )  # fmt: skip
    assert len(error["id"]) == 32


def test_thousand_steps_stay_bounded(product: Product) -> None:
    """Of a call that tells a thousand steps the newest hundred are kept, and the last one is the last."""
    row = ended(product, begin(product, SERVE, cups=500, seconds=0.001))
    assert len(row["steps"]) == MOST
    assert row["steps"][-1]["text"] == "cup 500 is served"
    assert (row["steps"][-1]["number"], row["revision"]) == (1001, 1001)


def test_writes_are_bounded(product: Product, someone: str) -> None:
    """However much a call tells, it is written a few times a second only."""
    task = begin(product, SERVE, someone, cups=200, seconds=0.005)
    told = followed(product, task, someone)
    lasted = told[-1]["finished"] - told[-1]["started"]
    assert len(told) <= 4 * lasted + 3


def test_prefer_answers_at_once_or_with_a_task(product: Product) -> None:
    """With ``Prefer: respond-async`` a quick call answers as ever, and a long one 202 with the id of its task."""

    def ask(**arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {product.token}", "Prefer": "respond-async"}
        return requests.post(f"{product.url}/restmachine/{SERVE}", json=arguments, headers=headers, timeout=10)

    quick = ask(cups=1)
    assert (quick.status_code, quick.json()) == (200, {"cups": 1})
    failed = ask(cups=1, spill=True)
    assert (failed.status_code, failed.json()["detail"]) == (409, {"argument": "cups"})
    assert ask(cups="many").status_code == 400
    long = ask(cups=2, seconds=0.1)
    assert (long.status_code, long.headers["Preference-Applied"]) == (202, "respond-async")
    assert ended(product, long.json())["answer"] == {"cups": 2}


def test_work_on_a_node_tells_what_its_job_says(product: Product) -> None:
    """Starting a machine tells the operation's steps by name, with its job's lines beneath for operators."""
    cloud = Cloud(product, "progress")
    tenant = product.user_token("tea-tenant")
    owner = {"username": "tea-tenant", "emailaddress": "tea@example.org"}
    cloud.account = product.ask("cloudbroker/account/create", name="tea", **owner)
    space, image = cloud.cloudspace("shown"), cloud.image()
    wish = {"cloudspaceId": space, "name": "web-1", "memory": TINY_MEMORY, "vcpus": 1, "imageId": image, "disksize": 1}
    row = ended(product, begin(product, "cloudapi/machines/create", **wish))
    assert row["outcome"] == "ok", row
    texts = [(step["level"], step["text"]) for step in row["steps"]]
    named = [text for level, text in texts if level == "step"]
    assert named[:2] == ["taking an address", "choosing a node"]
    assert named[-1] == "making disks and starting"
    lines = texts[texts.index(("step", "making disks and starting")) + 1 :]
    assert any(level == "info" and text.startswith("machine ") for level, text in lines), texts
    task = begin(product, "cloudapi/machines/stop", tenant, machineId=row["answer"], force=True)
    stopped = ended(product, task)
    assert any(step["level"] == "info" for step in stopped["steps"])
    for told in (status(product, task, tenant), followed(product, task, tenant)[-1]):  # no operator
        assert [step["text"] for step in told["steps"] if step["text"]] == ["stopping"]
    assert stopped["steps"][0]["text"] == "stopping"
    cloud.delete_machine(row["answer"])
    cloud.delete_cloudspace(space)


def test_document_tells_of_tasks(product: Product) -> None:
    """OpenAPI says for every method that its answer may be a task, by header and by ``_async``, and what one tells."""
    headers = {"Authorization": f"Bearer {product.token}"}
    document = requests.get(f"{product.url}/openapi.json", headers=headers, timeout=10).json()
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            secret = path.startswith("/restmachine/system/") or path.endswith(("/getConsoleUrl", "/getUrl"))  # answers
            assert "x-async" in operation or secret, path
            if verb == "post" and "x-async" in operation:
                assert {"$ref": "#/components/parameters/Prefer"} in operation["parameters"]
                assert operation["responses"]["202"] == {"$ref": "#/components/responses/Accepted"}
    assert document["components"]["parameters"]["Async"]["name"] == "_async"
    status_rows = document["components"]["schemas"]["TaskStatus"]["properties"]
    assert {"steps", "percent", "started", "finished", "outcome"} <= set(status_rows)
    step = status_rows["steps"]["items"]["$ref"].rpartition("/")[2]
    assert document["components"]["schemas"][step]["properties"]["text"] == {"type": "string"}


@pytest.fixture
def environment(product: Product, tmp_path: Path) -> dict[str, str]:
    """Give what tells the command which portal is meant, and a cache of its own."""
    return {"PORTALFW_URL": product.url, "PORTALFW_TOKEN": product.token, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_command_shows_the_steps(environment: dict[str, str]) -> None:
    """With ``--progress`` the command tells each step on stderr, a failure last, and prints nothing but the answer."""
    command = ("api", "lab", "samovar", "serve", "--seconds", "0.2", "--progress", "--cups", "2")
    done = run(*command, **environment)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"cups": 2})
    task, *lines = done.stderr.splitlines()
    assert task.startswith("task ")
    wanted = ["heating the water", "pouring 1 of 2", "cup 1 is served", "pouring 2 of 2", "cup 2 is served"]
    assert lines == wanted
    failed = run(*command, "--spill", **environment)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.splitlines()[-1].startswith("portalfw: Cup 2 was spilt; wipe the table. (conflict, id ")
    quick = run("api", "lab", "samovar", "serve", "--cups", "1", "--progress", **environment)
    assert (quick.stderr, json.loads(quick.stdout)) == ("", {"cups": 1})


def test_client_follows_a_task(product: Product, environment: dict[str, str], tmp_path: Path) -> None:
    """The generated client begins a call, hears its steps, and returns the answer or raises what the call would."""
    path = tmp_path / "followed_client.py"
    assert run("client", "--output", str(path), **environment).returncode == 0
    spec = importlib.util.spec_from_file_location("followed_client", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    portal = module.Client(product.url, product.token)
    heard: list[str] = []
    task = portal.begin(SERVE, {"cups": 2, "seconds": 0.2})
    assert portal.follow(task, lambda step: heard.append(step["text"])) == {"cups": 2}
    assert heard[-1] == "cup 2 is served"
    with pytest.raises(module.ApiError, match="Cup 1 was spilt") as refused:
        portal.follow(portal.begin(SERVE, {"cups": 1, "spill": True}))
    assert refused.value.detail == {"argument": "cups"}


def test_text_of_a_step_is_one_bounded_line() -> None:
    """Texts are one line of bounded length, amounts are finite or nothing."""
    steps = Steps()
    steps.add("step", "a\n b \udc80" + "x" * 1000, float("nan"), 0)
    steps.add("percent", "", 10, 100)
    steps.add("percent", "", 20, 100)
    steps.add("step", "next", 1)
    steps.add("percent", "", 5, 100)
    rows = steps.rows()
    assert rows[0]["text"].startswith("a b ?x")
    assert len(rows[0]["text"]) == LONGEST
    assert (rows[0]["done"], rows[0]["total"]) == (None, None)
    assert [(row["level"], row["done"]) for row in rows[1:]] == [("percent", 20), ("step", 1), ("percent", 5)]
