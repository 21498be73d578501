"""Alerts: what goes wrong is raised once, worked on by people, and opened again when it comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from product import Product, wait_for
from pymongo.database import Database

from portalfw.alerts.alerts import Cause, raise_alert, settle, update
from portalfw.alerts.documents import Alert
from portalfw.errors import ConflictError

LIST, GET, UPDATE, ESCALATE = (f"system/alerts/{name}" for name in ("list", "get", "update", "escalate"))


@pytest.fixture
def kettle(product: Product) -> Iterator[Product]:
    """Give the product, whose kettle is well afterwards."""
    yield product
    find(product, "OK")


def find(product: Product, state: str) -> None:
    """Let the tests' health check find a state."""
    product.ask("lab/wellness/choose", state=state)
    product.ask("system/health/refreshCommand", cmd="wellness")


def alert_of(product: Product, category: str, state: str) -> dict[str, Any]:
    """Wait for the alert of a category in a state."""
    found: list[dict[str, Any]] = wait_for(
        lambda: [row for row in product.ask(LIST, state=state) if row["category"] == category], what=f"{state} alert"
    )
    return found[0]


def test_a_health_error_lives_from_alert_to_closing(kettle: Product) -> None:
    """An error of a check is one alert: accepted, resolved when the check is well, open again when it is not."""
    find(kettle, "ERROR")
    alert = alert_of(kettle, "health.Lab", "ALERT")
    assert (alert["description"], alert["count"], alert["level"]) == ("The kettle is error", 1, 1)
    taken = kettle.ask(UPDATE, alert=alert["id"], state="ACCEPTED", username="admin", comment="mine")
    assert (taken["state"], taken["assigned_user"]) == ("ACCEPTED", "admin")
    find(kettle, "OK")
    assert alert_of(kettle, "health.Lab", "RESOLVED")["id"] == alert["id"]
    find(kettle, "ERROR")
    again = alert_of(kettle, "health.Lab", "ALERT")
    assert (again["id"], again["count"]) == (alert["id"], 2)
    kettle.ask(UPDATE, alert=alert["id"], state="CLOSED", comment="bought a new one")
    steps = kettle.ask(GET, alert=alert["id"])["history"]
    assert [step["state"] for step in steps] == ["CLOSED", "ALERT", "RESOLVED", "ACCEPTED", "ALERT"]
    assert [step["user"] for step in steps] == ["admin", "system", "system", "admin", "system"]
    assert kettle.call(UPDATE, alert=alert["id"], username="admin").status_code == 409


def test_an_unexpected_failure_raises_one_alert(product: Product) -> None:
    """However often a call fails in the same way, it is one alert that counts, and leads to the error condition."""
    for _ in range(3):
        assert product.call("lab/kettle/overheat").status_code == 500
    found = wait_for(
        lambda: [row for row in product.ask(LIST, search="overheat") if row["count"] == 3], what="the counted alert"
    )
    assert len(found) == 1
    assert found[0]["category"] == "error.call"
    condition = product.ask("system/errorconditionhandler/get", id=found[0]["page"].partition("id=")[2])
    assert condition["count"] == 3
    product.ask(UPDATE, alert=found[0]["id"], state="CLOSED")


def test_alerts_are_handed_up_and_to_operators_only(kettle: Product) -> None:
    """Escalating goes to level 3 and no further; whoever is no operator can neither see nor be given an alert."""
    find(kettle, "ERROR")
    alert = alert_of(kettle, "health.Lab", "ALERT")["id"]
    user, operator = kettle.user_token("passerby", "user"), kettle.user_token("watch", "level1")
    kettle.call(UPDATE, operator, alert=alert, username="watch")
    up = kettle.call(ESCALATE, operator, alert=alert, comment="too hot for me").json()
    assert (up["level"], up["assigned_user"]) == (2, "")
    assert kettle.ask(ESCALATE, alert=alert)["level"] == 3
    assert kettle.call(ESCALATE, alert=alert).status_code == 409
    assert kettle.call(UPDATE, alert=alert, username="passerby").json()["detail"] == {"argument": "username"}
    assert kettle.call(UPDATE, alert=alert).status_code == 400
    assert kettle.call(GET, alert=999_999).status_code == 404
    assert kettle.call(LIST, user).status_code == 403
    headers = {"Authorization": f"Bearer {operator}"}
    page = requests.get(f"{kettle.url}/grid/Alert?id={alert}", headers=headers, timeout=20).text
    assert "too hot for me" in page
    assert "Mark unresolved" in page
    listed = requests.get(f"{kettle.url}/grid/Alerts", headers=headers, timeout=20).text
    assert "The kettle is error" in listed
    kettle.ask(UPDATE, alert=alert, state="CLOSED")


def test_many_who_raise_and_take_it_agree(database: Database[dict[str, Any]]) -> None:
    """Raised from many sides at once it is one alert, and of many who accept it one does."""
    causes = [Cause("k", "c", "CRITICAL", "it burns", time.time())] * 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(raise_alert, causes))
        assert [row["count"] for row in Alert.rows()] == [1]
        alert = Alert.rows()[0]["id"]
        outcomes = list(pool.map(lambda number: _accepts(alert, f"user{number}"), range(8)))
    assert outcomes.count(True) == 1
    assert len(Alert.rows()[0]["history"]) == 2
    assert database["alert"].count_documents({}) == 1


def test_a_closed_alert_stays_closed_until_it_happens_again(database: Database[dict[str, Any]]) -> None:
    """Telling once more of what happened before the closing raises nothing; a later time raises a new alert."""
    now = time.time()
    cause = Cause("k", "c", "CRITICAL", "it burns", now)
    raise_alert(cause)
    first = Alert.rows()[0]["id"]
    update(first, "ann", state="CLOSED", assigned=None, comment="")
    raise_alert(cause)
    settle("k", "nothing is open")
    assert database["alert"].count_documents({}) == 1
    raise_alert(Cause("k", "c", "CRITICAL", "it burns again", now + 1))
    assert [row["status"] for row in Alert.rows()] == ["CLOSED", "ALERT"]
    with pytest.raises(ConflictError, match="raised anew"):
        update(first, "ann", state="ALERT", assigned=None, comment="")


def _accepts(alert: int, user: str) -> bool:
    try:
        update(alert, user, state="ACCEPTED", assigned=None, comment="")
    except ConflictError:
        return False
    return True
