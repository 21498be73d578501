"""Deliveries: one document for each message to one receiver, from being queued to its end."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import mongoengine

from portalfw.duties import process_lease
from portalfw.errors import ConflictError
from portalfw.mail.message import Letter, checked_address
from portalfw.mail.relay import RefusedError, Relay
from portalfw.store import Document, Lease

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

KEEP: Final = 30 * 86400  # seconds that a delivery is on record
WAITS: Final = (5.0, 20.0, 80.0, 320.0, 1280.0, 5120.0)  # seconds after each try that failed; then it has failed
STUCK: Final = 120.0  # seconds of sending after which it is asked whether the process that does it still lives
BATCH: Final = 20
MOST_RECEIVERS: Final = 50
FIELDS: Final = ("to", "subject", "user", "error", "tries", "created", "changed", "next_try")  # beside its status


class Delivery(Document):
    """One message to one receiver: QUEUED, SENDING, then SENT or FAILED. Times are epoch seconds."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "mail_delivery",
        "indexes": [("status", "next_try"), "-created", {"fields": ["date"], "expireAfterSeconds": KEEP}],
    }

    to = mongoengine.StringField()
    subject = mongoengine.StringField()
    user = mongoengine.StringField()  # who had it sent
    status = mongoengine.StringField()
    error = mongoengine.StringField()
    tries = mongoengine.IntField()
    created = mongoengine.FloatField()
    changed = mongoengine.FloatField()
    next_try = mongoengine.FloatField()
    process = mongoengine.StringField()  # that sends it now
    source = mongoengine.BinaryField()  # the message; gone once it is sent
    date = mongoengine.DateTimeField()  # of its making, for MongoDB's expiry


class Deliveries:
    """Queues messages and hands them to the relay; any number of processes may, and each try is one process's."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the relay of the settings."""
        self._runtime = runtime

    def queue(self, user: str, receivers: Sequence[str], letter: Letter) -> list[int]:
        """Queue a message to each receiver and begin to send; return the ids of the deliveries.

        :raises ConflictError: if no relay is configured.
        """
        relay = Relay.of(self._runtime.settings)
        addresses = list(dict.fromkeys(checked_address(one) for one in receivers))
        found = [self._create(user, address, letter, relay.sender) for address in addresses]
        self._runtime.spawn(self._send_all, found)
        return found

    def send_due(self) -> None:
        """Try what is due, and take back what a process that died was sending; for one process, every few seconds."""
        self._take_back()
        due = {"status": "QUEUED", "next_try": {"$lte": time.time()}}
        self._send_all([row["id"] for row in Delivery.rows(due, fields=["_id"], sort="next_try", limit=BATCH)])

    def retry(self, delivery_id: int) -> None:
        """Try a failed delivery anew.

        :raises NotFoundError: if there is none with this id.
        :raises ConflictError: if it has not failed.
        """
        Relay.of(self._runtime.settings)
        now = time.time()
        changes = {"status": "QUEUED", "next_try": now, "changed": now, "tries": 0}
        if Delivery.take({"_id": delivery_id, "status": "FAILED"}, {"$set": changes}) is None:
            status = Delivery.get(delivery_id).status
            raise ConflictError(f"Delivery {delivery_id} is {status}, not FAILED.", detail={"status": status})
        self._runtime.spawn(self._send_all, [delivery_id])

    @staticmethod
    def _create(user: str, address: str, letter: Letter, sender: str) -> int:
        now = time.time()
        made = Delivery.create(
            to=address,
            subject=letter.subject,
            user=user,
            status="QUEUED",
            error="",
            tries=0,
            created=now,
            changed=now,
            next_try=now,
            source=letter.source(sender, address),
            date=dt.datetime.fromtimestamp(now, dt.UTC),
        )
        return int(made.id)

    def _send_all(self, ids: Sequence[int]) -> None:
        for delivery_id in ids:
            taken = {"status": "SENDING", "process": self._runtime.process_id, "changed": time.time()}
            row = Delivery.take(
                {"_id": delivery_id, "status": "QUEUED", "next_try": {"$lte": time.time()}},
                {"$set": taken, "$inc": {"tries": 1}},
            )
            if row is not None:
                self._send(row)

    def _send(self, row: dict[str, Any]) -> None:
        try:
            Relay.of(self._runtime.settings).hand_in(row["to"], row["source"])
        except RefusedError as error:
            self._failed(row, str(error), permanent=error.permanent)
        except ConflictError as error:  # the relay was taken out of the settings meanwhile
            self._failed(row, error.message, permanent=False)
        else:
            self._end(row, {"status": "SENT", "error": ""}, forget={"source": "", "next_try": ""})

    def _failed(self, row: dict[str, Any], reason: str, *, permanent: bool) -> None:
        log.info("Delivery %d to %s was not taken: %s", row["id"], row["to"], reason)
        if permanent or row["tries"] > len(WAITS):
            self._end(row, {"status": "FAILED", "error": reason}, forget={"next_try": ""})
        else:
            wait = WAITS[row["tries"] - 1]
            self._end(row, {"status": "QUEUED", "error": reason, "next_try": time.time() + wait}, forget={})

    @staticmethod
    def _end(row: dict[str, Any], changes: dict[str, Any], forget: dict[str, str]) -> None:
        query = {"_id": row["id"], "status": "SENDING", "process": row["process"], "tries": row["tries"]}
        Delivery.take(query, {"$set": {**changes, "changed": time.time()}, "$unset": {"process": "", **forget}})

    def _take_back(self) -> None:
        for row in Delivery.rows({"status": "SENDING", "changed": {"$lt": time.time() - STUCK}}):
            if not Lease.held_by_anyone(process_lease(row["process"])):
                self._failed(row, "The process that was sending it ended; it may have arrived.", permanent=False)
