"""Webhooks: a real receiver is told of what happens, every delivery is on record, and none goes where it may not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from product import Product
from pymongo.database import Database

from portalfw.alerts.alerts import Cause, raise_alert, update
from portalfw.alerts.documents import Alert
from portalfw.alerts.notices import escalate_overdue, tell_overall
from portalfw.errors import ConflictError, InvalidError
from portalfw.health.changes import Changed, record
from portalfw.runtime import Runtime
from portalfw.settings import Settings
from portalfw.webhooks import Webhook, WebhookDelivery
from portalfw.webhooks.events import queue
from portalfw.webhooks.guard import checked_url
from portalfw.webhooks.sending import Sending, redeliver, signature

SECRET = "a secret of some length"


@dataclass
class Receiver:
    """An HTTP server that takes webhooks and answers as told."""

    url: str
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a real HTTP server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.taken.append((dict(self.headers), body))
            code = found.answers.pop(0) if found.answers else 204
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{found.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def sending(database: Database[dict[str, Any]], folder: Path, *, local: bool = True) -> Sending:
    settings = Settings(state=folder, hypervisor="test", webhook_local_addresses=local)
    return Sending(Runtime(settings, database))


def hook(receiver: Receiver, *events: str, **fields: Any) -> int:
    values = {"name": "pager", "url": receiver.url, "proof": "hmac", "secret": SECRET, **fields}
    return int(Webhook.create(**values, events=list(events)).id)


def made_due() -> None:
    WebhookDelivery.collection().update_many({"status": "QUEUED"}, {"$set": {"next_try": time.time() - 1}})


def test_events_arrive_signed_and_in_order(
    database: Database[dict[str, Any]], tmp_path: Path, receiver: Receiver
) -> None:
    """An alert raised, accepted and escalated by time, a finding and the whole: each is told once, signed."""
    hook(receiver, "alert.raised", "alert.changed", "alert.escalated", "health.changed", "health.overall")
    hook(receiver, "alert.changed", proof="bearer", name="other")
    hook(receiver, "alert.raised", enabled=False, name="off")
    raise_alert(Cause("health:x", "health.Lab", "CRITICAL", "It burns", time.time()))
    (alert,) = Alert.rows()
    Alert.collection().update_one({"_id": alert["id"]}, {"$set": {"since": time.time() - 3700}})
    escalate_overdue(3600)
    escalate_overdue(3600)
    update(alert["id"], "ann", state="ACCEPTED", assigned=None, comment="mine")
    record([Changed("kettle:a", "kettle", "Lab", None, "OK", "ERROR", "It boils")])
    record([Changed("kettle:b", "kettle", "Lab", None, None, "OK", "well from the first")])
    tell_overall("OK")
    for state in ("ERROR", "ERROR"):
        tell_overall(state)
    sending(database, tmp_path).send_due()
    told = sorted((json.loads(body) for _, body in receiver.taken), key=lambda one: one["id"])
    events = ["alert.raised", "alert.escalated", "alert.changed", "alert.changed", "health.changed", "health.overall"]
    assert [one["event"] for one in told] == events
    assert told[1]["step"]["comment"] == "Escalated to level 2: Took too long to be accepted"
    assert told[2]["alert"]["status"] == "ACCEPTED"
    assert (told[5]["before"], told[5]["state"]) == ("OK", "ERROR")
    for headers, body in receiver.taken:
        if "Authorization" in headers:
            assert headers["Authorization"] == f"Bearer {SECRET}"
        else:
            assert headers["Portal-Signature"] == f"sha256={signature(SECRET, headers['Portal-Timestamp'], body)}"
    assert {row["status"] for row in WebhookDelivery.rows()} == {"SENT"}
    assert SECRET not in json.dumps(WebhookDelivery.rows(), default=str)


def test_a_receiver_that_fails_is_tried_again(
    database: Database[dict[str, Any]], tmp_path: Path, receiver: Receiver
) -> None:
    """What is not taken is tried ever later, then FAILED; redirects are not followed; by hand it is sent again."""
    sender = sending(database, tmp_path)
    number = queue(hook(receiver, "test"), "test", {"message": "hello"})
    receiver.answers = [500, 302]
    sender.send_due()
    (first,) = WebhookDelivery.rows()
    assert (first["status"], first["code"], first["tries"]) == ("QUEUED", 500, 1)
    assert 0 < first["next_try"] - time.time() <= 5
    sender.send_due()
    assert len(receiver.taken) == 1  # it waits
    made_due()
    sender.send_due()
    assert len(receiver.taken) == 2  # and nothing at the other place
    made_due()
    sender.send_due()
    (sent,) = WebhookDelivery.rows()
    assert (sent["status"], sent["code"], sent["error"], sent["tries"]) == ("SENT", 204, "", 3)
    assert sent["seconds"] > 0
    redeliver(number)
    with pytest.raises(ConflictError, match="under way"):
        redeliver(number)
    receiver.answers = [410]
    sender.send_due()
    assert WebhookDelivery.rows()[0]["status"] == "FAILED"
    assert len({body for _, body in receiver.taken}) == 1
    receiver.answers = [500] * 9
    redeliver(number)
    for _ in range(7):
        made_due()
        sender.send_due()
    assert (WebhookDelivery.rows()[0]["status"], WebhookDelivery.rows()[0]["tries"]) == ("FAILED", 7)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/latest", "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://[fe80::1]/", "http://224.0.0.1/",
        "file:///etc/passwd", "gopher://example.org/", "https://", "http://user:word@192.0.2.1/", "http://192.0.2.1:0/",
        "http://192.0.2.1/a b", "http://[::1",
    ],
)  # fmt: skip
def test_where_a_webhook_may_not_go(url: str) -> None:
    """Only http and https, never to this machine or its links, however the address is written."""
    with pytest.raises(InvalidError):
        checked_url(url, local=False)


def test_the_address_is_looked_at_when_it_is_used(
    database: Database[dict[str, Any]], tmp_path: Path, receiver: Receiver
) -> None:
    """An address that has become one of this machine is not connected to, and is not tried again."""
    queue(hook(receiver, "test"), "test", {})
    sending(database, tmp_path, local=False).send_due()
    (row,) = WebhookDelivery.rows()
    assert row["status"] == "FAILED"
    assert "webhook_local_addresses" in row["error"]
    assert receiver.taken == []
    assert checked_url(" http://192.168.3.4/x ", local=False) == "http://192.168.3.4/x"
    assert checked_url("http://127.0.0.1/", local=True)


def test_only_level3_makes_webhooks_and_nobody_sees_the_secret(product: Product) -> None:
    """A webhook is made, edited, tested and deleted by level3; secret and query of the address are shown to nobody."""
    values = {"name": "pager", "url": "https://192.0.2.1/hook?key=hidden", "events": ["alert.raised"], "secret": SECRET}
    operator = product.user_token("webhook-reader", "level2")
    assert product.call("system/webhooks/create", token=operator, **values).status_code == 403
    refused = product.call("system/webhooks/create", **{**values, "url": "http://127.0.0.1/"})
    assert (refused.status_code, "webhook_local_addresses" in refused.text) == (400, True)
    assert product.call("system/webhooks/create", **{**values, "events": ["nothing"]}).status_code == 400
    assert product.call("system/webhooks/create", **{**values, "secret": "short"}).status_code == 400
    made = product.ask("system/webhooks/create", **values)
    changed = product.ask("system/webhooks/update", webhook=made, enabled=False)
    assert changed["enabled"] is False
    listed = product.call("system/webhooks/list", token=operator).text
    audits = product.call("system/audits/listAudits", limit=50).text
    for hidden in (SECRET, "hidden"):
        assert hidden not in listed
    assert SECRET not in audits
    product.ask("system/webhooks/delete", webhook=made)
    assert product.call("system/webhooks/test", webhook=made).status_code == 404
