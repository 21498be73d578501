"""Tickets for consoles: issued to one user, taken once, and on record from opening to closing."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pymongo import WriteConcern

from portalfw.auth.credentials import digest
from portalfw.auth.principal import Principal
from portalfw.console.documents import ConsoleTicket
from portalfw.console.meeting import Meeting
from portalfw.errors import ForbiddenError, TooManyError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

TICKET_LIFE: Final = 300.0
"""Seconds for which a ticket is good; as long as the originals' (cloud.md, 6.5)."""

MOST_OPEN: Final = 8
"""Consoles that one user may have open at the same time."""

GONE_AFTER: Final = 90.0
"""Seconds without a sign of the process that carries a console, after which it no longer counts as open."""

PAGE: Final = "/console"
Event = Literal["open", "close"]
EVENTS: Final = {"console/open": "Console opened", "console/close": "Console closed"}
"""What audit records name as the call though no method does it, and what people read there."""


@dataclass(frozen=True)
class Screen:
    """Something on a node that can be looked at.

    Args:
        title: what people call it.
        node_id: the node.
        script: the JumpScript that carries its screen, in the queue ``console``.
        args: its arguments besides ``tunnel``.
        typing: the right to do more than look, in the words of a method's declaration.
        address: the method that issues another ticket for the same screen, and ``given``, its arguments by wire name.
        tags: the objects that audit records name, as ``machineId:3``.

    """

    title: str
    node_id: int
    script: str
    args: dict[str, Any]
    typing: str
    address: str
    given: dict[str, Any]
    tags: tuple[str, ...] = ()


class Consoles:
    """The tickets of the installation, and the tunnels that this process waits for."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process."""
        self.runtime = runtime
        self.meeting = Meeting()

    def issue(self, screen: Screen, user: str, origin: str) -> str:
        """Return the address of a page that shows ``screen`` to ``user``: once, and within five minutes.

        :param origin: what the user's browser calls the portal; without one, the setting ``public_url`` tells it.
        """
        secret = secrets.token_urlsafe(24)
        now = time.time()
        ConsoleTicket.create(
            hash=digest(secret),
            user=user,
            screen=asdict(screen),
            created=now,
            date=dt.datetime.fromtimestamp(now, dt.UTC),
            expires=now + TICKET_LIFE,
        )
        return f"{origin or self.runtime.settings.public_url or ''}{PAGE}?ticket={secret}"

    @staticmethod
    def look(secret: str, principal: Principal) -> dict[str, Any] | None:
        """Return a ticket of this user's without using it, also one that is used up; None if there is none."""
        query = {"hash": digest(secret), "user": principal.name}
        return next(iter(ConsoleTicket.rows(query, limit=1)), None)

    def take(self, secret: str, principal: Principal) -> dict[str, Any]:
        """Use a ticket up and return it.

        :raises ForbiddenError: if it is another user's, used, expired or unknown.
        :raises TooManyError: if the user has as many consoles open as he may.
        """
        now = time.time()
        if _open_of(principal.name) >= MOST_OPEN:
            raise TooManyError(
                f"You have {MOST_OPEN} consoles open, the most that one may have. Close one of them.", retry_after=1
            )
        good = {"hash": digest(secret), "user": principal.name, "used": None, "expires": {"$gt": now}}
        row = ConsoleTicket.take(good, {"$set": {"used": now, "seen": now, "tunnel": uuid.uuid4().hex}})
        if row is None:
            raise ForbiddenError("This link is used up, too old, or somebody else's. Open the console anew.")
        return row

    def may_type(self, ticket: Mapping[str, Any], principal: Principal) -> bool:
        """Tell whether the user may do more than look.

        :raises ForbiddenError: if he could not even get this ticket now.
        :raises NotFoundError: if what it shows is gone.
        """
        screen, policy = ticket["screen"], self.runtime.policy
        method = self.runtime.dispatcher.describe(screen["address"])
        names = {argument.wire: argument.name for argument in method.arguments}
        given = {names[wire]: value for wire, value in screen["given"].items()}
        policy.require(principal, method.declaration.right, given, address=method.address)
        return any(policy.explain(principal, one, given)[0] for one in screen["typing"].split("|"))

    @staticmethod
    def seen(ticket_id: int, **values: Any) -> None:
        """Note that a console is open; losing such a note in a crash is no harm."""
        collection = ConsoleTicket.collection().with_options(write_concern=WriteConcern(w=1))
        collection.update_one({"_id": ticket_id}, {"$set": {"seen": time.time(), **values}})

    @staticmethod
    def closed(ticket_id: int, reason: str) -> None:
        """Note that a console has closed, and why."""
        ConsoleTicket.collection().update_one({"_id": ticket_id}, {"$set": {"closed": time.time(), "reason": reason}})

    def record(
        self, ticket: Mapping[str, Any], event: Literal["open", "close"], address: str, **arguments: Any
    ) -> None:
        """Write an audit record of a console's opening or closing."""
        self.runtime.dispatcher.audit.note(
            f"console/{event}",
            uuid.uuid4().hex,
            user=ticket["user"],
            address=address,
            via="http",
            arguments={"title": ticket["screen"]["title"], **arguments},
            tags=ticket["screen"]["tags"],
        )


def _open_of(user: str) -> int:
    query = {"user": user, "closed": None, "seen": {"$gt": time.time() - GONE_AFTER}}
    return ConsoleTicket.collection().count_documents(query)
