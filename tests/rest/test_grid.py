"""The grid for operators over REST: jobs that are found again, their output, attempts and numbers."""

from __future__ import annotations

from typing import Any

from product import Product

RUN = "system/agentcontroller/executeJumpscript"
JOBS = "system/gridmanager/getJobs"
OUTPUT = "system/gridmanager/getJobOutput"


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


def test_a_job_tells_its_attempts(product: Product) -> None:
    """One that failed says when each attempt began, how it ended and why, and that running it again wants care."""
    job = product.ask("system/gridmanager/getJob", jobId=count(product, fail=True))
    (attempt,) = job["attempts"]
    assert (attempt["attempt"], attempt["status"], attempt["reason"]) == (1, "ERROR", "ValueError: asked to fail")
    assert attempt["started"] <= attempt["ended"]
    assert [step["step"] for step in job["history"]] == ["Queued", "Handed to the node", "Began", "Error"]
    assert job["retry_needs_confirmation"]
    assert not job["open"]
