"""``portalfw job``, ``jumpscript`` and ``node`` against the running product."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from product import COMMAND, Product, _environment, run, wait_for

COUNT = ("--arg", "count=2", "--arg", 'words=["a"]')
SCRIPT = """descr = 'Count, and keep a secret'
idempotent = False
secrets = ("machine.userdata",)
def action(count: int, password: str, machine: dict, seconds: float = 0, fails: bool = False):
    import time
    from agent.jumpscript import context, log
    for number in range(count):
        log.info(f"line {number}")
    log.warning("be careful")
    context.progress(50, "half")
    time.sleep(seconds)
    if fails:
        raise RuntimeError("as asked")
    return {"count": count, "newPassword": password}
"""
SECRETS = ("hunter22", "ssh-rsa", "fish33", "url44")


@pytest.fixture
def portalfw(product: Product) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give the command, aimed at the product as its administrator."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, PORTALFW_URL=product.url, PORTALFW_TOKEN=product.token)

    return command


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "my script.py"
    file.write_text(SCRIPT)
    return file


def arguments(count: Any, **more: Any) -> list[str]:
    machine = {"userdata": "ssh-rsa", "accounts": [{"api_key": "fish33"}], "url": "http://me:url44@host/"}
    given = {"count": count, "password": "hunter22", "machine": machine, **more}
    return [text for name, value in given.items() for text in ("--arg", f"{name}={json.dumps(value)}")]


def job_of(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.splitlines()[0].removeprefix("Job ")


def test_a_script_from_a_file(product: Product, portalfw: Any, script: Path) -> None:
    """A local file runs on a node; its lines come out, its result if asked; what is secret in it nobody is shown."""
    done = portalfw("jumpscript", "run", str(script), "--node", "1", "--result", *arguments(3))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["line 0", "line 1", "line 2"]
    assert json.loads("".join(lines[3:])) == {"count": 3, "newPassword": "***"}
    assert "be careful" in done.stderr
    job = job_of(done)
    assert f"Job {job}: OK" in done.stderr
    shown = portalfw("job", "show", job)
    assert "text/my_script" in shown.stdout
    assert "count: 3" in shown.stdout
    audits = product.ask("system/audits/listAudits", limit=20, search="executeScript")
    detail = product.ask("system/gridmanager/getJob", jobId=int(job))
    said = shown.stdout + json.dumps(detail) + json.dumps(audits) + done.stderr
    assert audits
    assert not [secret for secret in SECRETS if secret in said]
    assert detail["args"]["machine"]["url"] == "http://***@host/"
    assert portalfw("job", "tail", job).stdout.splitlines() == lines[:3]
    assert "my_script" not in portalfw("jumpscript", "list").stdout
    assert "node/hostfacts" in portalfw("jumpscript", "list").stdout


def test_what_fails_says_so(product: Product, portalfw: Any, script: Path) -> None:
    """A script that fails ends the command with 1; it runs again only if confirmed; a wrong argument is named."""
    done = portalfw("jumpscript", "run", str(script), "--node", "1", *arguments(0, fails=True))
    assert done.returncode == 1
    assert "ERROR" in done.stderr
    job = job_of(done)
    refused = portalfw("job", "retry", job)
    assert refused.returncode == 1
    assert "confirm" in refused.stderr
    again = portalfw("job", "retry", job, "--even-if-half-done", "--follow")
    assert again.returncode == 1
    assert product.ask("system/gridmanager/getJob", jobId=int(job))["retries"] == [int(job_of(again))]
    wrong = portalfw("jumpscript", "run", str(script), "--node", "1", *arguments("many"))
    assert wrong.returncode == 1
    assert "needs count as int" in wrong.stderr
    script.write_text("descr = 'x'\ndef act(): ...\n")
    assert "no function action" in portalfw("jumpscript", "run", str(script), "--node", "1").stderr
    answer = product.call(
        "system/agentcontroller/executeJumpscript", name="libvirt/startmachine", nid=1, args={"machine": 3}
    )
    assert answer.json()["detail"] == {"argument": "machine"}
    operator = product.user_token("tinkerer", "level2")
    text = {"source": SCRIPT, "nid": 1}
    assert product.call("system/agentcontroller/executeScript", operator, **text).status_code == 403


def test_interrupt_cancels(product: Product, portalfw: Any, script: Path) -> None:
    """Ctrl+C cancels the job, and so does ``job cancel``."""
    command = [*COMMAND, "jumpscript", "run", str(script), "--node", "1", *arguments(1, seconds=600)]
    environment = _environment({"PORTALFW_URL": product.url, "PORTALFW_TOKEN": product.token})
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "line 0\n"
        job = int(running.stderr.readline().removeprefix("Job "))
        running.send_signal(signal.SIGINT)
        assert f"Job {job} is being cancelled.\n" in iter(running.stderr.readline, "")
        running.send_signal(signal.SIGINT)  # impatience does not keep it from that
        assert running.wait(30) == 130

    def row() -> dict[str, Any]:
        found: dict[str, Any] = product.ask("system/gridmanager/getJob", jobId=job)
        return found

    wait_for(lambda: row()["status"] == "CANCELLED", 30, "the job being cancelled")
    listed = json.loads(portalfw("job", "list", "--state", "CANCELLED", "--json").stdout)
    assert job in [one["id"] for one in listed]
    assert portalfw("job", "cancel", str(job)).returncode == 1


def test_fan_out(product: Product, portalfw: Any) -> None:
    """A script runs on all nodes of roles as one job with a summary; children are listed with their results."""
    asked = {"name": "node/hostfacts", "role": "cpunode", "roles": ["storagenode"], "gid": 1, "all": True}
    done = product.ask("system/agentcontroller/executeJumpscript", **asked)
    assert (done["state"], done["node_id"]) == ("OK", None)
    assert done["result"]["counts"] == {"OK": 1}
    (child,) = product.ask("system/gridmanager/getJobs", parentId=done["id"])
    (result,) = product.ask("system/gridmanager/getJobResults", jobId=done["id"])
    assert (result["id"], result["node_id"], child["parent"]) == (child["id"], 1, done["id"])
    assert result["result"]["hostname"]
    whole = product.ask("system/gridmanager/getJobs", whole=True, script="node/hostfacts", limit=5)
    assert child["id"] not in [row["id"] for row in whole]
    shown = portalfw("job", "show", str(done["id"])).stdout
    assert "1 node\n" in shown
    assert "1 OK" in shown
    page = requests.get(
        f"{product.url}/grid/Job?id={done['id']}", headers={"Authorization": f"Bearer {product.token}"}, timeout=30
    )
    assert "On many nodes" in page.text
    jobs = requests.get(f"{product.url}/grid/Jobs", headers={"Authorization": f"Bearer {product.token}"}, timeout=30)
    assert "Node?id=1" in jobs.text
    assert 'Node?id="' not in jobs.text
    none = product.call("system/agentcontroller/executeJumpscript", **{**asked, "gid": 77})
    assert none.status_code == 503


def test_nodes(product: Product, portalfw: Any) -> None:
    """A node is put into maintenance, disabled and enabled with a reason, each step in its history; tokens are made."""
    assert "ENABLED" in portalfw("node", "list").stdout
    assert "is in maintenance" in portalfw("node", "maintenance", "1", "--reason", "new disks").stdout
    assert "new disks" in portalfw("node", "show", "1").stdout
    assert "is disabled" in portalfw("node", "disable", "1").stdout
    again = portalfw("node", "accept", "1")
    assert again.returncode == 1
    assert "must be PENDING" in again.stderr
    assert "is enabled" in portalfw("node", "enable", "1").stdout
    node = product.ask("system/gridmanager/getNode", nodeId=1)
    assert [one["status"] for one in node["history"][-3:]] == ["MAINTENANCE", "DISABLED", "ENABLED"]
    assert node["history"][-1]["by"] == "admin"
    made = portalfw("node", "token", "--role", "node", "--pending").stdout
    assert made.startswith("join_")
    token = product.ask("system/gridmanager/listJoinTokens", limit=1)[0]
    assert (token["state"], token["roles"], token["accept"]) == ("GOOD", ["node"], False)
    assert product.ask("system/gridmanager/deleteJoinToken", tokenId=token["id"])
    assert portalfw("node", "show", "4711").returncode == 1


def test_schedules(product: Product) -> None:
    """A schedule runs by itself, its runs are listed with their jobs; wrong ones are refused by name."""
    asked = {"name": "often", "script": "node/hostfacts", "when": "* * * * * *", "roles": ["cpunode"]}
    made = product.ask("system/schedules/create", **asked)

    def begun() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = product.ask("system/schedules/listRuns", scheduleId=made, status="RUN")
        return [run for run in found if run["job"] is not None]

    run = wait_for(begun, 60, "an occurrence")[-1]
    assert product.ask("system/schedules/disable", scheduleId=made)
    job = product.ask("system/gridmanager/getJob", jobId=run["job"])
    assert (job["schedule"], job["submitted_by"], job["nodes"]) == (made, "schedule often", 1)
    assert product.ask("system/schedules/get", scheduleId=made)["when"] == "* * * * * *"
    for argument, wrong in {"when": "often", "args": {"x": 1}, "jitter": -1, "name": "often"}.items():
        answer = product.call("system/schedules/create", **{**asked, argument: wrong})
        assert answer.json()["detail"]["argument"] == ("x" if argument == "args" else argument), answer.text
    assert product.ask("system/schedules/delete", scheduleId=made)
    assert "often" not in [row["name"] for row in product.ask("system/schedules/list")]


def test_schedule_commands(portalfw: Any) -> None:
    """A schedule is made, shown, changed, run at once, put to rest and deleted by commands, by its name or its id."""
    made = portalfw("schedule", "create", "by hand", "lab/count", "--when", "3 4 5 6 *", "--role", "cpunode", *COUNT)
    assert made.returncode == 0, made.stderr
    assert portalfw("schedule", "update", "by hand", "--jitter", "30", "--not-at-boot").returncode == 0
    listed = json.loads(portalfw("schedule", "list", "--search", "hand", "--json").stdout)
    (found,) = [row for row in listed if row["id"] == int(made.stdout)]
    assert (found["jitter"], found["roles"], found["args"]) == (30.0, ["cpunode"], {"count": 2, "words": ["a"]})
    ran = portalfw("schedule", "run", "by hand", "--follow")
    assert ran.returncode == 0, ran.stderr
    assert portalfw("schedule", "disable", made.stdout.strip()).returncode == 0
    shown = portalfw("schedule", "show", "by hand").stdout
    assert "lab/count" in shown
    assert "Enabled:" in shown
    wrong = portalfw("schedule", "update", "by hand", "--when", "never")
    assert wrong.returncode == 1
    assert "never" in wrong.stderr
    assert portalfw("schedule", "delete", "by hand", "--yes").returncode == 0
    gone = portalfw("schedule", "show", "by hand")
    assert (gone.returncode, "There is no schedule by hand" in gone.stderr) == (1, True)
