"""A health check whose finding tests choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import mongoengine

from portalfw.extension import health_check
from portalfw.health.findings import Finding
from portalfw.rest import Actor, method
from portalfw.runtime import Runtime

KEY = {"_id": "lab"}


@health_check("Lab", every=3600)
def wellness(_runtime: Runtime) -> Iterator[Finding]:
    """Whether the kettle is well."""
    chosen = mongoengine.get_db()["lab_wellness"].find_one(KEY) or {"state": "OK"}
    if chosen["state"] == "BROKEN":
        raise ZeroDivisionError("the thermometer is broken")
    yield Finding("kettle", chosen["state"], f"The kettle is {chosen['state'].lower()}")


class Wellness(Actor, app="lab"):
    """Chooses what the check finds."""

    @method(right="group:admin")
    def choose(self, state: Literal["OK", "WARNING", "ERROR", "BROKEN"]) -> bool:
        """Let the check find this."""
        mongoengine.get_db()["lab_wellness"].replace_one(KEY, {"state": state}, upsert=True)
        return True
