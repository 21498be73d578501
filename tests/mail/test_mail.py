"""Mail: what operators send reaches a real relay by STARTTLS and password, or its record says why not."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import ipaddress
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from product import Product, running, wait_for
from pymongo.database import Database

from portalfw.alerts import notices
from portalfw.alerts.alerts import Cause, raise_alert, update
from portalfw.alerts.documents import Alert
from portalfw.auth.user_changes import edit_user
from portalfw.auth.users import create_user, ensure_groups
from portalfw.errors import InvalidError
from portalfw.mail.deliveries import Deliveries, Delivery
from portalfw.mail.message import Letter, checked_address
from portalfw.runtime import Runtime
from portalfw.settings import Settings, load_settings

SEND, GET, RETRY = (f"system/emailsender/{name}" for name in ("send", "getDelivery", "retry"))
HERE = Path(__file__).parent


@dataclass
class Post:
    """A product that sends by a relay, and what the relay has taken."""

    product: Product
    folder: Path
    file: Path  # of settings

    def taken(self, receiver: str) -> list[dict[str, Any]]:
        """Return what the relay has taken for a receiver."""
        found = [json.loads(file.read_text()) for file in sorted(self.folder.glob("*.json"))]
        return [one for one in found if one["to"] == [receiver]]

    def ended(self, delivery: int) -> dict[str, Any]:
        """Wait until a delivery is sent or has failed, and return it."""
        asked = lambda: self.product.ask(GET, deliveryId=delivery)  # noqa: E731 - two words
        row: dict[str, Any] = wait_for(lambda: (one := asked())["state"] in {"SENT", "FAILED"} and one)
        return row


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "relay.pem", folder / "relay.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return files


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Run a relay, and a product whose settings file names it."""
    folder = tmp_path_factory.mktemp("mail")
    pem, key = certificate(folder)
    box = folder / "box"
    box.mkdir()
    command = [sys.executable, "-W", "ignore", str(HERE / "relay.py"), str(pem), str(key), str(box)]
    relay = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert relay.stdout is not None
    port = int(relay.stdout.readline())
    with pytest.MonkeyPatch.context() as patch, relay.stdout:
        patch.setenv("SSL_CERT_FILE", str(pem))
        file = settings(folder, port)
        with running("--hypervisor", "test", PORTALFW_CONFIG=str(file)) as product:
            yield Post(product, box, file)
        relay.terminate()
        relay.wait(10)


def settings(folder: Path, port: int) -> Path:
    """Write a settings file."""
    lines = {
        "smtp_host": "127.0.0.1",
        "smtp_user": "portal",
        "smtp_password": "opensesame",
        "mail_from": "portal@example.org",
    }
    file = folder / "portalfw.toml"
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in lines.items()) + f"smtp_port = {port}\n")
    return file


def test_a_message_arrives_as_it_was_written(post: Post) -> None:
    """The relay takes one message for each receiver, encrypted and signed in, with just the headers that were meant."""
    body = "Grüße!\n.\nBcc: eve@example.org\n"
    ids = post.product.ask(
        SEND, receiver_email=["ann@example.org", "bob@example.org"], subject="Käse", body=body, sender_name="Müller, Jo"
    )
    assert [post.ended(one)["state"] for one in ids] == ["SENT", "SENT"]
    taken = post.taken("ann@example.org")
    assert len(taken) == 1
    assert (taken[0]["tls"], taken[0]["user"], taken[0]["from"]) == (True, True, "portal@example.org")
    message = email.message_from_string(taken[0]["source"], policy=email.policy.SMTP)
    assert (message["Subject"], message["To"], message["Bcc"]) == ("Käse", "ann@example.org", None)
    assert message["From"].addresses[0].display_name == "Müller, Jo"
    assert message.get_content().replace("\r\n", "\n") == body
    assert post.taken("bob@example.org")
    html = post.product.ask(SEND, receiver_email="cat@example.org", subject="x", body="<b>hi</b>", format="html")[0]
    assert post.ended(html)["tries"] == 1
    parts = email.message_from_string(post.taken("cat@example.org")[0]["source"], policy=email.policy.SMTP)
    assert [part.get_content_type() for part in parts.iter_parts()] == ["text/plain", "text/html"]


def test_what_is_refused_for_now_is_tried_again(post: Post) -> None:
    """A receiver whom the relay refuses for the moment gets the message once, later."""
    (later,) = post.product.ask(SEND, receiver_email="later@example.org", subject="x", body="y")
    waiting = wait_for(lambda: (row := post.product.ask(GET, deliveryId=later))["tries"] == 1 and row["error"] and row)
    assert (waiting["state"], waiting["error"]) == ("QUEUED", "451 4.7.1 Come again")
    done = post.ended(later)
    assert (done["state"], done["tries"], done["error"]) == ("SENT", 2, "")
    assert len(post.taken("later@example.org")) == 1


def test_what_is_refused_for_good_has_failed(post: Post) -> None:
    """A receiver whom the relay does not know is asked for once; the record says so, and a person may try again."""
    (nobody,) = post.product.ask(SEND, receiver_email="nobody@example.org", subject="x", body="y")
    failed = post.ended(nobody)
    assert (failed["state"], failed["tries"]) == ("FAILED", 1)
    assert failed["error"] == "550 5.1.1 There is nobody of this name"
    post.product.ask(RETRY, deliveryId=nobody)
    again = post.ended(nobody)
    assert again["state"] == "FAILED"
    assert again["changed"] > failed["changed"]
    (fine,) = post.product.ask(SEND, receiver_email="dan@example.org", subject="x", body="y")
    post.ended(fine)
    assert post.product.call(RETRY, deliveryId=fine).status_code == 409
    found = post.product.ask("system/health/refreshCommand", cmd="mail")
    assert found[0]["state"] == "WARNING"


def test_only_operators_send_and_see_deliveries(post: Post) -> None:
    """Nobody else may send, so the portal is no open relay; the page shows operators what was sent, and no password."""
    user, operator = post.product.user_token("writer", "user"), post.product.user_token("clerk", "level1")
    letter = {"receiver_email": "eva@example.org", "subject": "x", "body": "y"}
    assert post.product.call(SEND, user, **letter).status_code == 403
    assert post.product.call(SEND, "", **letter).status_code == 401
    assert post.product.call(SEND, operator, **letter).status_code == 200
    headers = {"Authorization": f"Bearer {operator}"}
    page = requests.get(f"{post.product.url}/system/Mail", headers=headers, timeout=20).text
    assert "eva@example.org" in page
    assert "opensesame" not in page


def test_many_processes_send_each_message_once(
    post: Post, database: Database[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many processes that try what is due one sends it; what a dead one was sending is tried again, once."""
    monkeypatch.setenv("PORTALFW_CONFIG", str(post.file))
    processes = [Runtime(load_settings(state=tmp_path, hypervisor="test"), database) for _ in range(4)]
    first = processes[0].service(Deliveries)
    monkeypatch.setattr(processes[0], "spawn", lambda *_: None)  # as if it ended right after queueing
    receivers = [f"many{number}@example.org" for number in range(6)]
    queued = first.queue("ann", receivers, Letter("x", "y"))
    gevent.joinall([gevent.spawn(one.service(Deliveries).send_due) for one in processes], raise_error=True)
    assert [row["status"] for row in Delivery.rows()] == ["SENT"] * 6
    assert [len(post.taken(receiver)) for receiver in receivers] == [1] * 6
    assert "source" not in Delivery.rows()[0]
    half = {"status": "SENDING", "process": "dead", "changed": time.time() - 1000, "source": b"x", "tries": 1}
    Delivery.take({"_id": queued[0]}, {"$set": half})
    first.send_due()
    back = Delivery.rows({"_id": queued[0]})[0]
    assert (back["status"], back["next_try"] > time.time()) == ("QUEUED", True)
    assert "it may have arrived" in back["error"]


def test_without_a_relay_it_says_what_to_set(product: Product) -> None:
    """Sending is refused with the names of the settings, and nothing is queued for later."""
    refused = product.call(SEND, receiver_email="ann@example.org", subject="x", body="y")
    assert refused.status_code == 409
    assert "set smtp_host and mail_from" in refused.json()["message"]
    assert product.ask("system/emailsender/listDeliveries") == []
    assert product.ask("system/emailsender/getRelay")["configured"] is False
    facts = {"name": "web", "size": {"cpus": 2}, "tags": ["a", "b"]}
    assert product.ask("system/emailsender/format", obj=facts) == "name: web\nsize:\n  cpus: 2\ntags: a, b\n"


@pytest.mark.parametrize("subject", ["a\nBcc: eve@example.org", "a\r\n\r\nbody", "a\0b", "a\u2028b", "x" * 201])
def test_no_header_can_be_smuggled_in(subject: str) -> None:
    """A subject or name of several lines is refused, and so is an address that is more than one."""
    with pytest.raises(InvalidError):
        Letter(subject, "body")
    with pytest.raises(InvalidError):
        Letter("subject", "body", sender_name=subject)
    for address in ("a@b\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c", "a@b c", "ä@b", "a", f"{'a' * 65}@b"):
        with pytest.raises(InvalidError):
            checked_address(address)


def test_people_on_call_are_written_to(post: Post, database: Any, tmp_path: Path) -> None:
    """Who is on call for an alert's level gets one letter; the next level's if nobody accepts it, and no more then."""
    relay = tomllib.loads(post.file.read_text())
    runtime = Runtime(Settings(state=tmp_path, public_url="https://portal.example.org", **relay), database)
    people = {
        "one": ["level1", "alert"],
        "off": ["level1", "admin"],
        "two": ["level2", "alert"],
        "gone": ["level2", "alert"],
    }
    ensure_groups()
    for name, groups in people.items():
        create_user(f"{name}-call", "a-password", groups=groups, emails=[f"{name}-call@example.org"])
    edit_user("gone-call", active=False)

    def told() -> dict[str, list[str]]:
        """Have letters written, twice, and return whose were sent, with their subjects."""
        notices.write_to_people(runtime)
        notices.write_to_people(runtime)
        wait_for(lambda: all(row["status"] == "SENT" for row in Delivery.rows()), what="all letters being sent")
        letters = {name: post.taken(f"{name}-call@example.org") for name in people}
        return {
            name: [str(email.message_from_string(one["source"], policy=email.policy.SMTP)["Subject"]) for one in found]
            for name, found in letters.items()
            if found
        }

    raise_alert(Cause("kettle", "health.Lab", "CRITICAL", "The kettle\nis broken", last=time.time()))
    subject = "Alert 1 (CRITICAL): The kettle is broken"
    assert told() == {"one": [subject]}
    (letter,) = post.taken("one-call@example.org")
    assert "https://portal.example.org/grid/Alert?id=1" in letter["source"]
    notices.escalate_overdue(60)
    assert told() == {"one": [subject]}
    notices.escalate_overdue(0)
    assert told() == {"one": [subject], "two": [subject]}
    update(1, "two-call", state="ACCEPTED", assigned=None, comment="I come")
    notices.escalate_overdue(0)
    assert told() == {"one": [subject], "two": [subject]}
    (row,) = Alert.rows()
    assert (row["level"], row["status"]) == (2, "ACCEPTED")
    assert f"Escalated to level 2: {notices.LATE}" in [step["comment"] for step in row["history"]]
    assert [(one["to"], one["user"], one["tries"]) for one in Delivery.rows()] == [
        (f"{name}-call@example.org", "system", 1) for name in ("one", "two")
    ]
