"""Handing deliveries to their receivers; any number of processes may, and each try is one process's."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import gevent
import requests

import portalfw
from portalfw.duties import process_lease
from portalfw.errors import ConflictError
from portalfw.store import Lease
from portalfw.webhooks.documents import Webhook, WebhookDelivery
from portalfw.webhooks.guard import RefusedAddressError, guarded_session

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

WAITS: Final = (5.0, 20.0, 80.0, 320.0, 1280.0, 5120.0)
"""Seconds after each try that failed, as for mail; then it has failed."""

STUCK: Final = 120.0
"""Seconds of sending after which it is asked whether the process that does it still lives."""

BATCH: Final = 20
READ: Final = 10.0  # seconds between two pieces of an answer
WHOLE: Final = 15.0  # seconds for one try
KEPT: Final = 500  # characters of an answer
GONE: Final = 410  # an answer after which trying again is no use
Row = dict[str, Any]


class Sending:
    """Sends what is due."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the settings of this process."""
        self._process = runtime.process_id
        self._local = runtime.settings.webhook_local_addresses
        self._user_agent = f"portalfw/{portalfw.__version__}"

    def send_due(self) -> None:
        """Try what is due, side by side, and take back what a process that died was sending."""
        self._take_back()
        due = {"status": "QUEUED", "next_try": {"$lte": time.time()}}
        rows = WebhookDelivery.rows(due, fields=["_id"], sort="next_try", limit=BATCH)
        gevent.joinall([gevent.spawn(self.send, row["id"]) for row in rows])

    def send(self, delivery: int) -> None:
        """Try one delivery, if it is due and nobody else does."""
        taken = {"status": "SENDING", "process": self._process, "changed": time.time()}
        query = {"_id": delivery, "status": "QUEUED", "next_try": {"$lte": time.time()}}
        row = WebhookDelivery.take(query, {"$set": taken, "$inc": {"tries": 1}})
        if row is None:
            return
        hooks = Webhook.rows({"_id": row["webhook"]}, limit=1)
        if not hooks or not (hooks[0]["enabled"] or row["event"] == "test"):
            self._end(row, {"status": "FAILED", "error": "The webhook is gone, or switched off."})
            return
        began = time.monotonic()
        changes, permanent = self._try(row, hooks[0])
        changes["seconds"] = time.monotonic() - began
        if changes["error"]:
            self._failed(row, changes, permanent=permanent)
        else:
            self._end(row, {"status": "SENT", **changes})

    def _try(self, row: Row, hook: Row) -> tuple[Row, bool]:
        """Return what came of a try, and whether another one is no use."""
        body = row["body"].encode()
        try:
            with gevent.Timeout(WHOLE, requests.Timeout(f"no answer within {WHOLE:.0f} s")):
                code, text = self._post(hook["url"], body, self._headers(row, hook, body))
        except (requests.RequestException, OSError) as error:
            cause = _cause(error)
            refused = isinstance(cause, RefusedAddressError)
            return {"code": None, "answer": "", "error": str(cause)[:KEPT]}, refused
        well = 200 <= code < 300  # noqa: PLR2004 - HTTP's own classes
        return {"code": code, "answer": text, "error": "" if well else f"It answered {code}."}, code == GONE

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        with guarded_session(local=self._local) as session:
            answer = session.post(url, body, headers=headers, timeout=READ, allow_redirects=False, stream=True)
            with answer:
                text = next(answer.iter_content(KEPT), b"").decode(errors="replace")
            return answer.status_code, text

    def _headers(self, row: Row, hook: Row, body: bytes) -> dict[str, str]:
        stamp = f"{time.time():.0f}"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            "Portal-Event": row["event"],
            "Portal-Delivery": str(row["id"]),
            "Portal-Timestamp": stamp,
        }
        if hook["proof"] == "bearer":
            headers["Authorization"] = f"Bearer {hook['secret']}"
        elif hook["proof"] == "hmac":
            headers["Portal-Signature"] = f"sha256={signature(hook['secret'], stamp, body)}"
        return headers

    def _failed(self, row: Row, changes: Row, *, permanent: bool) -> None:
        log.info("Delivery %d to webhook %d failed: %s", row["id"], row["webhook"], changes["error"])
        if permanent or row["tries"] > len(WAITS):
            self._end(row, {"status": "FAILED", **changes})
        else:
            wait = WAITS[row["tries"] - 1]
            self._end(row, {"status": "QUEUED", **changes}, next_try=time.time() + wait)

    @staticmethod
    def _end(row: Row, changes: Row, next_try: float | None = None) -> None:
        query = {"_id": row["id"], "status": "SENDING", "process": row["process"], "tries": row["tries"]}
        found = {**changes, "changed": time.time(), "next_try": next_try}
        WebhookDelivery.take(query, {"$set": found, "$unset": {"process": ""}})

    def _take_back(self) -> None:
        for row in WebhookDelivery.rows({"status": "SENDING", "changed": {"$lt": time.time() - STUCK}}):
            if not Lease.held_by_anyone(process_lease(row["process"])):
                changes = {"error": "The process that was sending it ended; it may have arrived."}
                self._failed(row, changes, permanent=False)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return what proves that who knows the secret sent this body at this time: HMAC-SHA-256 of ``stamp.body``."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def redeliver(delivery: int) -> None:
    """Send an ended delivery once more, with the same body and id, from the first try on.

    :raises NotFoundError: if there is none with this id.
    :raises ConflictError: if it has not ended.
    """
    now = time.time()
    changes = {"status": "QUEUED", "next_try": now, "changed": now, "tries": 0}
    if WebhookDelivery.take({"_id": delivery, "status": {"$in": ["SENT", "FAILED"]}}, {"$set": changes}) is None:
        status = WebhookDelivery.get(delivery).status
        raise ConflictError(f"Delivery {delivery} is {status}; it is under way.", detail={"status": status})


def _cause(error: BaseException) -> BaseException:
    """Return what is behind an error: the system's own words, without those of the libraries between."""
    seen = [error]
    while seen[-1].args and isinstance(seen[-1].args[0], BaseException):
        seen.append(seen[-1].args[0])
    deepest = next((one for one in seen[-1].args if isinstance(one, OSError)), seen[-1])
    return getattr(deepest, "reason", None) or deepest
