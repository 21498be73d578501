"""Health: checks find what is wrong, and operators see it wherever they are."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from product import Product, wait_for
from pymongo.database import Database

from portalfw.controller.documents import Job, Node
from portalfw.health.findings import Finding, HealthCheck
from portalfw.health.results import messages, store
from portalfw.runtime import Runtime
from portalfw.settings import Settings

OVERALL, DETAIL, REFRESH = (
    f"system/health/{name}" for name in ("getOverallStatus", "getDetailedStatus", "refreshCommand")
)


@pytest.fixture
def kettle(product: Product) -> Iterator[Product]:
    """Give the product, whose kettle is well afterwards."""
    yield product
    product.ask("lab/wellness/choose", state="OK")
    product.ask(REFRESH, cmd="wellness")


def page(product: Product, path: str, token: str) -> str:
    """Return a page as the owner of a token sees it."""
    response = requests.get(product.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert response.status_code == 200, response.text
    return response.text


def test_the_platform_checks_itself(product: Product) -> None:
    """Soon after the start each part of the platform has been looked at, and is well."""
    wanted = {"Database", "Disks", "Failures", "Jobs", "Lab", "Nodes", "Processes"}
    wait_for(lambda: wanted <= {row["category"] for row in product.ask("system/health/getStatusSummary")})
    parts = {"database:ping", "database:member-0", "change_stream:delay", "nodes:node-1", "processes:duties"}

    def well() -> bool:
        product.ask("system/health/run")  # a busy machine may be slow for a moment
        return parts <= {row["id"] for row in product.ask(DETAIL, state="OK")}

    wait_for(well, what="everything being well")
    found = {row["id"]: row for row in product.ask(DETAIL)}
    assert found["nodes:node-1"]["node_id"] == 1
    assert found["database:ping"]["interval"] == 30
    assert time.time() - found["database:ping"]["checked"] < 60


def test_a_finding_is_known_since_it_is_so(kettle: Product) -> None:
    """A check that finds the same again keeps the time of the change; another state begins anew, and counts."""
    fine = kettle.ask(REFRESH, cmd="wellness")[0]
    assert (fine["state"], kettle.ask(REFRESH, cmd="wellness")[0]["changed"]) == ("OK", fine["changed"])
    before = kettle.ask(OVERALL)["error"]
    kettle.ask("lab/wellness/choose", state="ERROR")
    broken = kettle.ask(REFRESH, cmd="wellness")[0]
    assert (broken["state"], broken["message"]) == ("ERROR", "The kettle is error")
    assert broken["changed"] > fine["changed"]
    overall = kettle.ask(OVERALL)
    assert (overall["state"], overall["error"]) == ("ERROR", before + 1)
    assert [row["id"] for row in kettle.ask(DETAIL, state="ERROR", category="Lab")] == ["wellness:kettle"]
    listed = kettle.ask(DETAIL)
    assert [row["gravity"] for row in listed] == sorted((row["gravity"] for row in listed), reverse=True)
    assert kettle.ask(DETAIL, search="kettle", filter={"interval": ">=3600"}, limit=1)[0]["id"] == "wellness:kettle"


def test_a_check_that_fails_is_an_error(kettle: Product) -> None:
    """What a check did not foresee is its finding, not a failure of who asks."""
    kettle.ask("lab/wellness/choose", state="BROKEN")
    found = kettle.ask(REFRESH, cmd="wellness")
    assert [(row["id"], row["state"]) for row in found] == [("wellness:execution_failed", "ERROR")]
    assert "the thermometer is broken" in found[0]["message"]
    assert kettle.call(REFRESH, cmd="nothing").status_code == 404


def test_only_operators_see_the_mark(kettle: Product) -> None:
    """Every page shows operators how many findings need somebody, and nobody else that there is such a thing."""
    operator, user = kettle.user_token("ward", "level1"), kettle.user_token("guest-of-ward", "user")
    kettle.ask("lab/wellness/choose", state="ERROR")
    kettle.ask(REFRESH, cmd="wellness")
    wait_for(lambda: 'aria-label="Health: errors, ' in page(kettle, "/cbgrid", operator), 10)
    assert "Health: " not in page(kettle, "/system/Account", user)
    assert "The kettle is error" in page(kettle, "/grid/Health", operator)
    assert kettle.call(DETAIL, token=user).status_code == 403


def test_what_is_not_checked_any_more_is_overdue(database: Database[dict[str, Any]]) -> None:
    """A finding whose check has not run for one and a half intervals is MISSED, and counts as a warning."""
    check = HealthCheck("pulse", "Heart", 60, lambda _: [])
    store(check, [Finding("left", "OK", "it beats"), Finding("right", "ERROR", "it does not")], 0.1)
    now = time.time()
    assert [one.state for one in messages(["pulse"], now + 60)] == ["OK", "ERROR"]
    late = messages(["pulse"], now + 110)
    assert [one.state for one in late] == ["MISSED", "MISSED"]
    assert late[0].message == "Not checked any more; last: it beats"
    assert messages(["other"]) == []
    assert database["health"].count_documents({}) == 1


def certificate_of(folder: Path, days: int) -> Path:
    """Write a certificate that is good for some days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - dt.timedelta(days=90))
    made = builder.not_valid_after(now + dt.timedelta(days=days, hours=1)).sign(key, hashes.SHA256())
    file = folder / f"{days}.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return file


def test_a_certificate_is_warned_of_before_it_ends(database: Database[dict[str, Any]], tmp_path: Path) -> None:
    """The portal's certificate is well, then a warning, then an error; without TLS there is none to look at."""
    found = {}
    for days in (60, 14, 3):
        file = certificate_of(tmp_path, days)
        runtime = Runtime(Settings(state=tmp_path, hypervisor="test", tls_certificate=file), database)
        (finding,) = runtime.health.run("certificate")
        found[days] = finding.state
        assert f"for {days} days" in finding.message
    assert found == {60: "OK", 14: "WARNING", 3: "ERROR"}
    assert Runtime(Settings(state=tmp_path), database).health.run("certificate")[0].state == "SKIPPED"


def test_a_process_that_was_killed_and_a_node_that_is_silent_are_found(
    database: Database[dict[str, Any]], tmp_path: Path
) -> None:
    """A process that did not take its leave, a duty that nobody does, and a node that is not heard of are not well."""
    runtime = Runtime(Settings(state=tmp_path, hypervisor="test"), database)
    now = time.time()
    database["lease"].insert_many(
        [
            {"_id": "process:dead", "holder": "dead", "expires": now - 5},
            {"_id": "duty:controller.sweep", "holder": "dead", "expires": now - 5},
        ]
    )
    states = {one.uid: one.state for one in runtime.health.run("processes")}
    assert (states["process:dead"], states["duty-controller.sweep"]) == ("WARNING", "ERROR")
    away = {"gid": 1, "status": "ENABLED", "connected": False, "last_seen": now - 1000}
    Node.create(name="fresh", credential_hash="a", **away)
    assert [one.state for one in runtime.health.run("nodes")] == ["WARNING"]  # the portal itself has just begun
    runtime.health.started -= 600
    Node.create(name="calm", credential_hash="b", **{**away, "status": "MAINTENANCE"})
    Node.create(name="well", credential_hash="c", **{**away, "connected": True})
    assert [one.state for one in runtime.health.run("nodes")] == ["ERROR", "SKIPPED", "OK"]
    created = time.time() - 100
    Job.create(node_id=1, script="a/b", sha256="", status="QUEUED", created=created)
    (waiting,) = runtime.health.run("waiting_jobs")
    told = re.search(r"the oldest, 1, for (\d+) s", waiting.message)
    assert told
    assert waiting.state == "WARNING"
    assert 100 <= int(told[1]) <= round(time.time() - created)
