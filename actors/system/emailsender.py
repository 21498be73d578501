"""Mail to people, by the relay that the settings name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypedDict

from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.extension import duty, health_check
from portalfw.health.findings import Finding
from portalfw.mail.deliveries import FIELDS, MOST_RECEIVERS, Deliveries, Delivery
from portalfw.mail.message import Letter
from portalfw.mail.relay import Relay
from portalfw.rest import Actor, Arg, Columns, Listing, method
from portalfw.runtime import Runtime

OPERATORS = "group:level1,level2,level3"
DAY = 86400.0
DEEPEST = 20  # characters of indentation
DELIVERIES = Columns(
    Delivery,
    "id",
    *FIELDS,
    state="status",
    times=("created", "changed", "next_try"),
    search=("to", "subject", "user", "id"),
    sort="-created",
    limit=50,
    most=500,
)


class DeliveryRow(TypedDict):
    """One message to one receiver; times in epoch seconds."""

    id: int
    to: str
    subject: str
    user: str
    state: str
    error: str
    tries: int
    created: float
    changed: float
    next_try: float | None


class RelayFacts(TypedDict):
    """Where mail is handed in; ``problem`` says why nothing can be sent."""

    configured: bool
    problem: str
    host: str
    port: int
    security: str
    user: str
    sender: str


@duty(every=3)
def deliver(runtime: Runtime) -> None:
    """Hand to the relay what is due."""
    runtime.service(Deliveries).send_due()


@health_check("Mail", every=300)
def mail(runtime: Runtime) -> Iterator[Finding]:
    """Whether mail arrives at the relay."""
    if not runtime.settings.smtp_host:
        yield Finding("relay", "SKIPPED", "No mail relay is configured")
        return
    failed = {"status": "FAILED", "changed": {"$gt": time.time() - DAY}}
    count = Delivery.collection().count_documents(failed)
    yield Finding("failed", "WARNING" if count else "OK", f"Messages that could not be delivered within a day: {count}")


class EmailSender(Actor, app="system"):
    """Mail to people."""

    @method(right=OPERATORS, title="Send mail")
    def send(
        self,
        receiver_email: Annotated[list[str], Arg("To", wire="receiver_email", help="One address a line.")],
        subject: str,
        body: Annotated[str, Arg("Text", multiline=True)],
        sender_name: Annotated[str, Arg("From", wire="sender_name", help="A name beside the portal's address.")] = "",
        format: Literal["text", "html"] = "text",  # noqa: A002 - the name on the wire
    ) -> list[int]:
        """Queue a message to each receiver and return the ids of the deliveries."""
        if not 1 <= len(receiver_email) <= MOST_RECEIVERS:
            raise InvalidError(f"1 to {MOST_RECEIVERS} receivers.", detail={"argument": "receiver_email"})
        letter = Letter(subject, body, format, sender_name)
        return self.service(Deliveries).queue(self.call.principal.name, receiver_email, letter)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True)
    def format(self, obj: Annotated[dict[str, Any], Arg("Facts")]) -> str:
        """Return facts as lines of text for the body of a message, those of an object within indented."""
        return "".join(f"{line}\n" for line in _lines(obj, ""))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("mail_delivery",), title="List deliveries")
    def list_deliveries(
        self,
        state: Literal["QUEUED", "SENDING", "SENT", "FAILED"] | None = None,
        *,
        listing: Annotated[Listing, DELIVERIES],
    ) -> list[DeliveryRow]:
        """Return the deliveries of the last thirty days, the newest first."""
        rows = listing.of(Delivery, {"status": state} if state else {}, fields=(*FIELDS, "status"))
        return rows.answered(_row(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("mail_delivery:{delivery_id}",))
    def get_delivery(self, delivery_id: int) -> DeliveryRow:
        """Return one delivery."""
        rows = Delivery.rows({"_id": delivery_id}, fields=(*FIELDS, "status"), limit=1)
        if not rows:
            raise NotFoundError(f"Delivery {delivery_id} does not exist; they are dropped after 30 days.")
        return _row(rows[0])

    @method(right=OPERATORS, title="Try again")
    def retry(self, delivery_id: int) -> bool:
        """Try a failed delivery anew."""
        self.service(Deliveries).retry(delivery_id)
        return True

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True)
    def get_relay(self) -> RelayFacts:
        """Say where mail is handed in, or why nothing can be sent."""
        settings = self.runtime.settings
        try:
            Relay.of(settings)
            problem = ""
        except ConflictError as error:
            problem = error.message
        return {
            "configured": not problem,
            "problem": problem,
            "host": settings.smtp_host or "",
            "port": settings.smtp_port,
            "security": settings.smtp_security,
            "user": settings.smtp_user or "",
            "sender": settings.mail_from or "",
        }


def _row(row: dict[str, Any]) -> DeliveryRow:
    return {
        "id": row["id"],
        "to": row["to"],
        "subject": row["subject"],
        "user": row["user"],
        "state": row["status"],
        "error": row["error"],
        "tries": row["tries"],
        "created": row["created"],
        "changed": row["changed"],
        "next_try": row.get("next_try"),
    }


def _lines(facts: dict[str, Any], indent: str) -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, dict) and len(indent) < DEEPEST:
            yield f"{indent}{name}:"
            yield from _lines(value, f"{indent}  ")
        else:
            yield f"{indent}{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
