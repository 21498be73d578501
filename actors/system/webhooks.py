"""Webhooks: programs elsewhere that are told of alerts and of health."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import urlsplit

from portalfw.errors import InvalidError, NotFoundError
from portalfw.extension import duty
from portalfw.rest import Actor, Arg, Columns, Listing, NameOf, method
from portalfw.runtime import Runtime
from portalfw.webhooks.documents import EVENTS, Webhook, WebhookDelivery
from portalfw.webhooks.events import queue
from portalfw.webhooks.guard import checked_url
from portalfw.webhooks.sending import Sending, redeliver

OPERATORS = "group:level1,level2,level3"
CHIEFS = "group:level3"
Proof = Literal["none", "bearer", "hmac"]
LONGEST_NAME = 100
LEAST_SECRET, LONGEST_SECRET = 16, 500  # characters
FIELDS = ["name", "url", "proof", "events", "enabled", "created", "created_by"]
WEBHOOKS = Columns(Webhook, "id", *FIELDS, times=("created",), search=("name", "url", "id"), sort="name")
DELIVERY_FIELDS = ["webhook", "event", "code", "error", "seconds", "tries", "created", "changed", "next_try"]
DELIVERIES = Columns(
    WebhookDelivery,
    "id",
    *DELIVERY_FIELDS,
    state="status",
    times=("created", "changed", "next_try"),
    search=("event", "error", "name", "id"),
    sort="-id",
    limit=50,
    most=500,
    name=NameOf(Webhook, "webhook"),
)

WebhookId = Annotated[int, Arg("Webhook")]
Name = Annotated[str, Arg("Name", help="Who is told.")]
Url = Annotated[str, Arg("Address", help="https://… that takes a POST with JSON; a key belongs into the secret.")]
Events = Annotated[list[str], Arg("Events", help=f"One a line: {', '.join(EVENTS[:-1])}.")]
Secret = Annotated[
    str, Arg("Secret", secret=True, help="The bearer's key, or that of the signature; it is never shown again.")
]


class WebhookRow(TypedDict):
    """One webhook; its secret is never told, nor what follows a ? in its address. Times in epoch seconds."""

    id: int
    name: str
    url: str
    proof: str  # how the receiver knows us: none, bearer or hmac
    events: list[str]
    enabled: bool
    created: float
    created_by: str


class DeliveryRow(TypedDict):
    """One event for one webhook; times in epoch seconds."""

    id: int
    webhook: int
    name: str
    event: str
    state: str  # QUEUED, SENDING, SENT or FAILED
    code: int | None  # of HTTP, of the last try
    error: str
    tries: int
    seconds: float | None  # that the last try took
    created: float
    changed: float
    next_try: float | None


class DeliveryDetail(DeliveryRow):
    """One delivery with what was sent, and how the last answer began."""

    sent: list[str]  # lines of JSON
    answer: list[str]


@duty(every=2)
def send(runtime: Runtime) -> None:
    """Tell webhooks what is due."""
    runtime.service(Sending).send_due()


class Webhooks(Actor, app="system"):
    """Webhooks and their deliveries."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("webhook",), title="List webhooks")
    def list_(self, listing: Annotated[Listing, WEBHOOKS]) -> list[WebhookRow]:
        """Return the webhooks, without their secrets."""
        rows = listing.of(Webhook, {}, fields=FIELDS)
        return rows.answered(_row(row) for row in rows)

    @method(right=CHIEFS, title="Create webhook")
    def create(
        self,
        name: Name,
        url: Url,
        events: Events,
        proof: Annotated[Proof, Arg("Proof", help="How the receiver knows that it is us.")] = "hmac",
        secret: Secret = "",
    ) -> int:
        """Have an address told of events, and return the webhook's id."""
        _check(name, events, proof, secret)
        made = Webhook.create(
            name=name.strip(),
            url=self._checked(url),
            proof=proof,
            secret=secret,
            events=list(dict.fromkeys(events)),
            created=time.time(),
            created_by=self.call.principal.name,
        )
        return int(made.id)

    @method(right=CHIEFS, title="Edit webhook")
    def update(
        self,
        webhook: WebhookId,
        name: Name | None = None,
        url: Url | None = None,
        events: Events | None = None,
        proof: Proof | None = None,
        secret: Annotated[str | None, Arg("Secret", secret=True, help="Only if it is to be another one.")] = None,
        *,
        enabled: Annotated[bool | None, Arg("On")] = None,
    ) -> WebhookRow:
        """Change what is given, and return the webhook."""
        row = _find(webhook)
        given = {"name": name, "url": url, "events": events, "proof": proof, "secret": secret, "enabled": enabled}
        changes = {key: value for key, value in given.items() if value is not None}
        new = {**row, **changes}
        _check(new["name"], new["events"], new["proof"], new["secret"])
        if url is not None:
            changes["url"] = self._checked(url)
        if changes:
            Webhook.collection().update_one({"_id": webhook}, {"$set": changes})
        return _row(_find(webhook))

    @method(right=CHIEFS, destructive=True, title="Delete webhook")
    def delete(self, webhook: WebhookId) -> bool:
        """Tell this address nothing more; its deliveries stay on record for thirty days."""
        Webhook.collection().delete_one({"_id": _find(webhook)["id"]})
        return True

    @method(right=CHIEFS, title="Send test")
    def test(self, webhook: WebhookId) -> int:
        """Send the event ``test``, also to a webhook that is off, and return the delivery's id."""
        _find(webhook)
        return queue(webhook, "test", {"message": f"{self.call.principal.name} sent this to see whether it arrives."})

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("webhook_delivery",), title="List deliveries")
    def list_deliveries(
        self,
        webhook: WebhookId | None = None,
        state: Literal["QUEUED", "SENDING", "SENT", "FAILED"] | None = None,
        *,
        listing: Annotated[Listing, DELIVERIES],
    ) -> list[DeliveryRow]:
        """Return the deliveries of the last thirty days, the newest first."""
        given = {"webhook": webhook, "status": state}
        query = {key: value for key, value in given.items() if value is not None}
        rows = listing.of(WebhookDelivery, query, fields=(*DELIVERY_FIELDS, "status"))
        names = _names(rows)
        return rows.answered(_delivery(row, names) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("webhook_delivery:{delivery}",))
    def get_delivery(self, delivery: int) -> DeliveryDetail:
        """Return one delivery with what was sent."""
        rows = WebhookDelivery.rows({"_id": delivery}, limit=1)
        if not rows:
            raise NotFoundError(f"Delivery {delivery} does not exist; they are dropped after 30 days.")
        row = rows[0]
        sent = json.dumps(json.loads(row["body"]), indent=2).splitlines()
        return {**_delivery(row, _names(rows)), "sent": sent, "answer": row["answer"].splitlines()}

    @method(right=OPERATORS, title="Send again")
    def redeliver(self, delivery: int) -> bool:
        """Send what was sent, or could not be, once more."""
        redeliver(delivery)
        return True

    def _checked(self, url: str) -> str:
        return checked_url(url, local=self.runtime.settings.webhook_local_addresses)


def _check(name: str, events: list[str], proof: str, secret: str) -> None:
    """Refuse what makes no webhook; raises InvalidError naming the argument."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise InvalidError(f"name: one line of {LONGEST_NAME} characters at most.", detail={"argument": "name"})
    unknown = sorted(set(events) - set(EVENTS[:-1]))
    if unknown or not events:
        known = ", ".join(EVENTS[:-1])
        raise InvalidError(f"events: choose of {known}.", detail={"argument": "events"})
    if proof != "none" and (not LEAST_SECRET <= len(secret) <= LONGEST_SECRET or not secret.isprintable()):
        raise InvalidError(f"secret: {LEAST_SECRET} to {LONGEST_SECRET} characters.", detail={"argument": "secret"})


def _find(webhook: int) -> dict[str, Any]:
    rows = Webhook.rows({"_id": webhook}, limit=1)
    if not rows:
        raise NotFoundError(f"Webhook {webhook} does not exist.")
    return rows[0]


def _row(row: dict[str, Any]) -> WebhookRow:
    return {
        "id": row["id"],
        "name": row["name"],
        "url": _shown(row["url"]),
        "proof": row["proof"],
        "events": row["events"],
        "enabled": row["enabled"],
        "created": row["created"],
        "created_by": row["created_by"],
    }


def _shown(url: str) -> str:
    """Return an address without what may be a key in it."""
    parts = urlsplit(url)
    return parts._replace(query="***" if parts.query else "", fragment="").geturl()


def _names(rows: Any) -> dict[int, str]:
    ids = list({row["webhook"] for row in rows})
    return {row["id"]: row["name"] for row in Webhook.rows({"_id": {"$in": ids}}, fields=["name"])}


def _delivery(row: dict[str, Any], names: dict[int, str]) -> DeliveryRow:
    return {
        "id": row["id"],
        "webhook": row["webhook"],
        "name": names.get(row["webhook"], ""),
        "event": row["event"],
        "state": row["status"],
        "code": row["code"],
        "error": row["error"],
        "tries": row["tries"],
        "seconds": row["seconds"],
        "created": row["created"],
        "changed": row["changed"],
        "next_try": row.get("next_try"),
    }
