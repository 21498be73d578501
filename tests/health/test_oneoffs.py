"""One-offs: level3 runs bash and Python on a node; the text and its hash stay with the job and in the audit log."""

from __future__ import annotations

import hashlib

from product import Product, wait_for

JOB, OUTPUT = "system/gridmanager/getJob", "system/gridmanager/getJobOutput"


def ended(product: Product, job: int) -> str:
    return str(wait_for(lambda: (row := product.ask(JOB, jobId=job))["ended"] and row["status"]))


def test_bash_and_python_run_for_level3_only(product: Product) -> None:
    """What is run tells its lines, fails with its exit status, is flagged in audits, and is refused for others."""
    chief, engineer = product.user_token("oneoff-chief", "level3"), product.user_token("oneoff-engineer", "level2")
    text = 'echo "it\'s {here}"; echo \'a "b" \\n\'; exit 3'
    for method in ("bash", "python"):
        assert product.call(f"system/oneoffs/{method}", token=engineer, nid=1, text="1").status_code == 403
    answer = product.call("system/oneoffs/bash", token=chief, nid=1, text=text)
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert ended(product, job) == "ERROR"
    assert "bash ended with 3" in product.ask(JOB, jobId=job)["reason"]
    assert [line["text"] for line in product.ask(OUTPUT, jobId=job)] == ["it's {here}", 'a "b" \\n']
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    (record,) = [one for one in product.ask("system/audits/listAudits", limit=100) if f"sha256:{sha256}" in one["tags"]]
    assert (record["user"], record["call"], "oneoff" in record["tags"]) == (
        "oneoff-chief",
        "system/oneoffs/bash",
        True,
    )
    again = product.call("system/gridmanager/retryJob", token=engineer, jobId=job, confirmed=True)
    assert again.status_code == 403
    job = product.ask("system/oneoffs/python", nid=1, text="import sal\r\nprint(sal.__name__)")
    assert ended(product, job) == "OK"
    assert [line["text"] for line in product.ask(OUTPUT, jobId=job)] == ["sal"]
    assert product.call("system/oneoffs/bash", nid=1, text=" ").status_code == 400
    assert product.call("system/oneoffs/bash", nid=1, text="true", timeout=9999).status_code == 400
