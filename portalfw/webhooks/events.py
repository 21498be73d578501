"""Telling of an event: a delivery for each webhook that wants to hear of it. Who tells needs to know of no webhook."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from typing import Any

from portalfw.webhooks.documents import Event, Webhook, WebhookDelivery


def tell(event: Event, *abouts: Mapping[str, Any]) -> None:
    """Queue events for all webhooks that want them; ``about`` each, the receiver is told that beside name and time."""
    for row in Webhook.rows({"enabled": True, "events": event}, fields=["_id"]):
        for about in abouts:
            queue(row["id"], event, about)


def queue(webhook: int, event: Event, about: Mapping[str, Any]) -> int:
    """Queue an event for one webhook and return the delivery's id, which is also told and stays through all tries."""
    now, number = time.time(), WebhookDelivery.next_id()
    body = {"id": number, "event": event, "at": now, **about}
    row = {
        "webhook": webhook,
        "event": event,
        "body": json.dumps(body, default=str),
        "status": "QUEUED",
        "code": None,
        "answer": "",
        "error": "",
        "seconds": None,
        "tries": 0,
        "created": now,
        "changed": now,
        "next_try": now,
        "date": dt.datetime.fromtimestamp(now, dt.UTC),
    }
    WebhookDelivery.collection().insert_one({"_id": number, **row})
    return number
