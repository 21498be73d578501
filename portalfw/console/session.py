"""One open console: has the node bring the screen, carries the bytes, and says why it ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import gevent
import orjson

from agent.protocol import JobState
from portalfw.console.consoles import Consoles
from portalfw.console.rfb import ClientMessages, ScreenProtocolError
from portalfw.controller.documents import Node
from portalfw.dal.local import LocalJobHandle
from portalfw.errors import PortalError

if TYPE_CHECKING:
    from portalfw.console.meeting import Awaited
    from portalfw.web.websocket import WebSocket

ARRIVAL_LIMIT: Final = 30.0
"""Seconds for the node to bring the screen."""

JOB_EXPIRES: Final = 12.0
"""Seconds that the job may wait for its node and a free worker there."""

IDLE_LIMIT: Final = 30 * 60.0
"""Seconds without a key or a move of the pointer after which a console is closed."""

LONGEST: Final = 12 * 3600.0
"""Seconds that a console may be open."""

LOOK_EVERY: Final = 2.0
CHECK_EVERY: Final = 5.0
"""Seconds between looks at whether the user may still see it."""

LAST_WORD: Final = 5.0
"""Seconds to wait for what the node says of the end."""

ENDED: Final = 4000
"""Codes of the WebSocket, of the range that RFC 6455 leaves to applications: the screen has ended, or could not be had;
the portal ended it (right lost, too long unused); the browser said what makes no sense."""
REFUSED: Final = 4001
WRONG: Final = 4002
FULL: Final = "Too many consoles are open on this node. Close one of them, then try again."


class EndedError(Exception):
    """The console has ended, with a code and a sentence for its user."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Session:
    """A console from its ticket's use to its end."""

    def __init__(
        self, consoles: Consoles, ticket: Mapping[str, Any], browser: WebSocket, may_type: Callable[[], bool]
    ) -> None:
        """Show what ``ticket`` is for; ``may_type`` tells whether the user may do more than look.

        It raises a PortalError if he may not even look, and is asked again while the console is open.
        """
        self._consoles = consoles
        self._ticket = ticket
        self._screen = ticket["screen"]
        self._browser = browser
        self._may_type = may_type
        self._typing = may_type()
        self._client = ClientMessages(typing=self._typing)
        self._looked = time.monotonic()
        self._job: LocalJobHandle | None = None
        self._arrived = False
        self.sent = self.received = 0

    def run(self) -> EndedError:
        """Serve to the end and return it."""
        try:
            with self._consoles.meeting.waiting(self._ticket["tunnel"], self._screen["node_id"]) as awaited:
                self._begin()
                node = self._arrival(awaited)
                self._tell(state="open", typing=self._typing)
                self._carry(node)
        except EndedError as ended:
            self._withdraw()
            return ended
        except PortalError as error:
            self._withdraw()
            return EndedError(REFUSED, error.message)
        except OSError:
            self._withdraw()
            return EndedError(ENDED, "The browser is gone.")
        self._withdraw()
        return EndedError(ENDED, self._last_word())

    def _begin(self) -> None:
        node_id = self._screen["node_id"]
        node = next(iter(Node.rows({"_id": node_id}, fields=["name", "connected"])), None)
        if node is None or not node.get("connected"):
            name = node["name"] if node else node_id
            raise EndedError(ENDED, f"Node {name} is away: its agent does not answer.")
        self._tell(state="asking", node=node["name"])
        self._job = self._consoles.runtime.dal.node(node_id).submit(
            self._screen["script"],
            expires=JOB_EXPIRES,
            submitted_by=self._ticket["user"],
            tunnel=self._ticket["tunnel"],
            **self._screen["args"],
        )
        self._consoles.seen(self._ticket["id"], job_id=self._job.id)

    def _arrival(self, awaited: Awaited) -> WebSocket:
        """Wait for the node's end of the tunnel, or for its job to end without."""
        limit = time.monotonic() + ARRIVAL_LIMIT
        ended, gone = gevent.spawn(self._wait_for_job), gevent.spawn(self._wait_for_browser)
        waited: list[Any] = [awaited.arrived, ended, gone]
        try:
            while time.monotonic() < limit:
                gevent.wait(waited, timeout=LOOK_EVERY, count=1)
                node = awaited.arrived.value
                if node is not None:
                    self._arrived = True
                    return node
                if gone.ready():
                    raise EndedError(ENDED, "The browser is gone.")
                if ended.ready():
                    raise EndedError(ENDED, self._last_word())
        finally:
            gevent.killall([ended, gone])
        raise EndedError(ENDED, "The node did not bring the screen in time. Try again.")

    def _wait_for_job(self) -> None:
        if self._job is not None:
            self._job.wait()

    def _wait_for_browser(self) -> None:
        """Return when the browser closes; before the screen is there it has nothing to say."""
        for _ in self._browser.messages():
            return

    def _carry(self, node: WebSocket) -> None:
        """Carry the bytes of both ways until either side ends; raises EndedError unless that was the node's."""
        reading, writing = gevent.spawn(self._from_browser, node), gevent.spawn(self._from_node, node)
        began = time.monotonic()
        try:
            while not gevent.wait([reading, writing], timeout=LOOK_EVERY, count=1):
                self._look(time.monotonic() - began)
            if isinstance(reading.value, ScreenProtocolError):
                raise EndedError(WRONG, f"The browser sent what no screen understands: {reading.value}.")
            if reading.ready() and reading.value is None:
                raise EndedError(ENDED, "Closed in the browser.")
            if writing.value is not None:
                raise EndedError(ENDED, "The browser is gone.")
        finally:
            gevent.killall([reading, writing])
            node.close()

    def _look(self, seconds: float) -> None:
        """End what is too long idle or open, or no longer allowed; say that the console is open."""
        idle = time.monotonic() - self._client.touched
        if idle > IDLE_LIMIT:
            raise EndedError(REFUSED, f"Closed: nobody has touched it for {IDLE_LIMIT / 60:.0f} minutes.")
        if seconds > LONGEST:
            raise EndedError(REFUSED, f"Closed after {LONGEST / 3600:.0f} hours. Open it again to go on.")
        if time.monotonic() - self._looked > CHECK_EVERY:
            self._looked = time.monotonic()
            if self._may_type() != self._typing:
                raise EndedError(REFUSED, "Your rights have changed. Open it again to go on.")
            self._consoles.seen(self._ticket["id"])

    def _from_browser(self, node: WebSocket) -> Exception | None:
        """Carry what the user does; return what ended it, if it was not the browser."""
        try:
            for message in self._browser.messages():
                passed = self._client.sift(message if isinstance(message, bytes) else b"")
                if passed:
                    node.send(passed)
                    self.received += len(passed)
        except (OSError, ScreenProtocolError) as error:
            return error
        return None

    def _from_node(self, node: WebSocket) -> Exception | None:
        """Carry what the screen shows; return what ended it, if it was not the node."""
        try:
            for message in node.messages():
                if isinstance(message, bytes):
                    self._browser.send(message)
                    self.sent += len(message)
        except OSError as error:
            return error
        return None

    def _tell(self, **state: Any) -> None:
        self._browser.send(orjson.dumps(state).decode())

    def _withdraw(self) -> None:
        """Cancel the job if it has not ended by itself, which it does once its tunnel is closed."""
        if self._job is None or (self._arrived and self._job.wait(LAST_WORD).ended):
            return
        with contextlib.suppress(PortalError):  # it has ended already
            self._job.cancel("nobody looks at the screen any more")

    def _last_word(self) -> str:
        """Say what the node said of the end."""
        if self._job is None:
            return ""
        row = self._job.row()
        result = row.get("result") or {}
        if row["status"] == JobState.EXPIRED:
            return FULL
        if row["status"] != JobState.OK:
            return f"The node could not show the screen: {row['reason']}"
        problem = result.get("problem")
        return str(problem) if problem else f"The screen has closed: it is {result.get('state', 'gone')} now."
