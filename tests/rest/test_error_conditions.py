"""Error conditions: whatever failed unexpectedly is found by the id that somebody was told, and counted."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from product import REPOSITORY, Product, running, wait_for

from portalfw import errorconditions
from portalfw.errorconditions import ErrorCondition
from portalfw.store import Mongod, connect, disconnect

LIST, GET = "system/errorconditionhandler/list", "system/errorconditionhandler/get"


@pytest.fixture(scope="module")
def faulty() -> Iterator[Product]:
    """Run the product with a content directory in which everything fails."""
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    content = shutil.copytree(Path(__file__).parent / "faulty", folder / "faulty")
    (content / "spaces" / "dark" / "nav.md").write_bytes("- [Öde](Home)".encode("latin-1"))
    with running("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(content)) as found:
        yield found
    shutil.rmtree(folder)


def conditions(product: Product, kind: str) -> list[dict[str, Any]]:
    """Return the rows of one kind."""
    rows: list[dict[str, Any]] = product.ask(LIST, kind=kind)
    return rows


def page(product: Product, path: str) -> requests.Response:
    """Get a page as the administrator."""
    headers = {"Authorization": f"Bearer {product.token}"}
    return requests.get(f"{product.url}{path}", headers=headers, timeout=20)


def test_a_failed_call_is_found_by_the_id_that_it_answers(faulty: Product) -> None:
    """The id in the error's body finds the condition, which counts each time that it happens."""
    bodies = [faulty.call("faulty/pot/boil", secret="swordfish").json() for _ in range(3)]
    found = [faulty.ask(GET, id=body["id"]) for body in bodies]
    assert len({one["id"] for one in found}) == 1
    last = found[-1]
    assert (last["kind"], last["place"], last["error"]) == ("call", "faulty/pot/boil", "ZeroDivisionError")
    assert last["message"] == "the handle broke off"
    assert [one["id"] for one in last["occurrences"]] == [body["id"] for body in reversed(bodies)]
    assert (last["count"], last["occurrences"][0]["user"]) == (3, "admin")
    assert last["first"] < last["last"] <= time.time()
    assert last["trace"][-1] == "ZeroDivisionError: the handle broke off"
    assert "^^^" not in str(last["trace"])
    assert "swordfish" not in str(last)
    assert "handle" not in str(bodies)


def test_only_some_operators_see_the_trace(faulty: Product) -> None:
    """level1 sees the condition without the trace, level2 with it, others nothing."""
    identity = faulty.call("faulty/pot/boil").json()["id"]
    helper, engineer, user = (
        faulty.user_token(name, group) for name, group in (("hel", "level1"), ("eng", "level2"), ("usr", "user"))
    )
    seen = faulty.call(GET, token=helper, id=identity).json()
    assert (seen["trace"], seen["traceHidden"]) == ([], True)
    assert faulty.call(GET, token=engineer, id=identity).json()["trace"]
    assert faulty.call(GET, token=user, id=identity).status_code == 403


def test_a_failed_macro_tells_the_id_in_its_box(faulty: Product) -> None:
    """Both a macro's own failure and that of a method which it called are found by the id in the box."""
    html = page(faulty, "/faulty/Home").text
    ids = re.findall(r'Error <span class="mono">([\w-]+)</span>', html)
    assert len(ids) == 2
    found = {one["error"]: one for one in (faulty.ask(GET, id=identity) for identity in ids)}
    assert found["KeyError"]["kind"] == "macro"
    assert found["KeyError"]["place"].startswith("crack on faulty/Home line ")
    assert (found["LookupError"]["kind"], found["LookupError"]["place"]) == ("call", "faulty/pot/look")
    assert "Traceback" not in html


def test_a_failed_page_tells_the_id(faulty: Product) -> None:
    """A page that fails as a whole answers 500 with the id of its request."""
    answer = page(faulty, "/dark/Home")
    assert answer.status_code == 500
    found = faulty.ask(GET, id=answer.headers["X-Request-Id"])
    assert (found["kind"], found["error"]) == ("page", "UnicodeDecodeError")
    assert answer.headers["X-Request-Id"] in answer.text


def test_what_fails_where_nobody_waits_is_kept(faulty: Product) -> None:
    """A duty, background work and a job that fail leave a condition each, the job's but once."""
    wait_for(lambda: [row for row in conditions(faulty, "duty") if row["count"] > 1], what="the duty's condition")
    duties = conditions(faulty, "duty")
    assert [(row["error"], row["place"].rpartition(".")[2]) for row in duties] == [("RuntimeError", "stir")]
    faulty.ask("faulty/pot/simmer")
    background = wait_for(lambda: conditions(faulty, "background"), what="the background work's condition")
    assert (background[0]["place"], background[0]["message"]) == ("leak", "it ran out")
    job = faulty.ask("faulty/pot/work", script="faulty/crack")
    kept = wait_for(lambda: conditions(faulty, "job"), what="the job's condition")
    assert (kept[0]["place"], kept[0]["error"], kept[0]["count"]) == ("faulty/crack", "ERROR", 1)
    assert "the lid does not fit" in kept[0]["message"]
    assert faulty.ask(GET, id=f"job-{job}")["occurrences"][0]["job"] == job
    link = re.search(rf'href="(/system/Error[^"]*job-{job})"', page(faulty, f"/grid/Job?id={job}").text)
    assert link is not None
    assert "faulty/crack" in page(faulty, link[1]).text


def test_pages_show_conditions(faulty: Product) -> None:
    """The System space lists conditions and shows one with its trace, by its id or one that somebody was told."""
    identity = faulty.call("faulty/pot/boil").json()["id"]
    assert "the handle broke off" in page(faulty, "/system/Error Conditions").text
    html = page(faulty, f"/system/Error Condition?id={identity}").text
    assert "ZeroDivisionError: the handle broke off" in html
    assert identity in html
    assert "macro-error" not in html


def test_conditions_can_be_deleted_and_purged(faulty: Product) -> None:
    """A deleted condition is gone; purge spares what happened since; a wrong age is named."""
    identity = faulty.call("faulty/pot/boil").json()["id"]
    assert faulty.ask("system/errorconditionhandler/purge", age="-3d") == 0
    assert faulty.call("system/errorconditionhandler/purge", age="3 days").json()["detail"]["argument"] == "age"
    assert faulty.ask("system/errorconditionhandler/delete", id=identity) is True
    assert faulty.call(GET, id=identity).status_code == 404
    wait_for(lambda: faulty.ask("system/errorconditionhandler/purge", age="-0m"), what="everything is old enough")


def test_a_condition_expires_thirty_days_after_it_last_happened(database: Any) -> None:
    """MongoDB drops a condition by the time of its last occurrence; an occurrence counts once."""
    failure = ZeroDivisionError("again")
    for occurrence in ("one", "two", "two"):
        errorconditions.record("duty", "place", failure, occurrence)
    (row,) = database["error_condition"].find()
    assert row["count"] == 2
    indexes = database["error_condition"].index_information().values()
    (expiry,) = [index for index in indexes if "expireAfterSeconds" in index]
    assert (expiry["key"], expiry["expireAfterSeconds"]) == ([("date", 1)], 30 * 86400)
    assert abs(row["date"].timestamp() - row["last"]) < 86400


def test_recording_never_fails_and_never_holds_up(mongod: Mongod) -> None:
    """Without a database, or with one that does not answer, recording returns soon and raises nothing."""
    began = time.monotonic()
    disconnect()
    errorconditions.record("call", "a/b/c", ZeroDivisionError("x"), "one")
    folder = Path(tempfile.mkdtemp(prefix="Pfw-", dir="/tmp"))
    other = Mongod(folder / "mongod")
    other.start()
    connect(other.uri, "test")
    ErrorCondition.collection().find_one()
    other.stop()
    stopped = time.monotonic()
    errorconditions.record("call", "a/b/c", ZeroDivisionError("x"), "two")
    assert time.monotonic() - stopped < 2 * errorconditions.WAIT
    disconnect()
    shutil.rmtree(folder)
    assert time.monotonic() - began < 60
    assert mongod.running()
