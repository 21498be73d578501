"""Server-sent events: one stream a page, which names the topics that have changed, and tells how far calls are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import flask
import orjson
from flask import Request, Response
from flask.globals import request_ctx

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError, UnauthenticatedError
from portalfw.rest.tasks import Tasks
from portalfw.web.beats import Beats, Listener
from portalfw.web.screens import Screen, Screens
from portalfw.web.task_events import TaskEvents

TOPIC = re.compile(r"[a-z_]{1,40}(:[A-Za-z0-9-]{1,64}|:[a-z0-9-]{1,40}/[A-Za-z0-9%._~-]{1,120})?")
MOST_TOPICS = 300
HEARTBEAT = 15.0  # seconds; shows the page, and proxies, that the stream lives
ALIVE = b"event: alive\ndata:\n\n"
RECOGNISED = 30.0  # seconds that a viewer is taken for who he was


def blueprint(
    beats: Beats, screens: Screens, identify: Callable[[Request], Principal], tasks: Tasks
) -> flask.Blueprint:
    """Return the route ``/events?topics=machine:3,disk&since=…&page=…``.

    ``since`` is the position that a page was rendered at, or the ``id`` of the last event: what changed between that
    and the opening of the stream is told first. Nobody hears of what he may not read. A topic ``task:<guid>`` also
    brings events of the name ``task`` with what ``system/task/status`` answers, each step once; one that is not the
    viewer's brings one event ``refused``. ``page`` is the name that the page has given itself, 32 hexadecimal
    digits: what it asked for under that name (``Portal-Page``) comes with the word of its change, as events ``macro``.
    """
    routes = flask.Blueprint("events", __name__)

    @routes.get("/events")
    def events() -> Response:
        request = request_ctx.request
        viewer = identify(request)
        if viewer.guest:
            raise UnauthenticatedError("Sign in to follow changes.")
        topics = [topic for topic in request.args.get("topics", "").split(",") if topic]
        if not topics or len(topics) > MOST_TOPICS or not all(TOPIC.fullmatch(topic) for topic in topics):
            raise InvalidError("Argument topics must name 1 to 300 topics such as machine or machine:3.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":  # a stream that nobody reads would never end its subscription
            return Response(content_type="text/event-stream", headers=headers)
        listener = beats.listen(viewer, topics, request.args.get("since"))
        followed = TaskEvents(tasks, viewer, topics)
        page = request.args.get("page", "")
        stream = _Stream(listener, followed, screens, page, lambda: _still(identify, request))
        return Response(iter(stream), content_type="text/event-stream", headers=headers)

    return routes


def _still(identify: Callable[[Request], Principal], request: Request) -> Principal | None:
    """Return who the viewer is by now, None if that is nobody."""
    try:
        viewer = identify(request)
    except PortalError:
        return None
    return None if viewer.guest else viewer


class _Stream:
    """What one open page is told, as long as its viewer is somebody."""

    def __init__(
        self, listener: Listener, tasks: TaskEvents, screens: Screens, page: str, still: Callable[[], Principal | None]
    ) -> None:
        self._listener = listener
        self._tasks = tasks
        self._screens = screens
        self._page = page
        self._still = still
        self._asked = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        screen = self._screens.open(self._page, self._listener.viewer, self)
        try:
            yield b": open\n\n"
            yield from self._tasks.first()
            while True:
                topics, changed = self._listener.wait(HEARTBEAT)
                if not self._is_still_there():
                    return
                topics |= {change.topic for change in changed if self._tasks.may_hear(change)}
                yield self._news(screen, topics) if topics else ALIVE
                yield from self._tasks.of(changed)
                if not topics:
                    self._tasks.look()
        finally:
            self._listener.close()
            self._screens.close(self._page, screen)

    def _is_still_there(self) -> bool:
        """Ask again who the viewer is if that is in doubt, and now and then: sessions and tokens come to their ends."""
        now = time.monotonic()
        if self._listener.doubted or now - self._asked > RECOGNISED:
            self._listener.doubted, self._asked = False, now
            viewer = self._still()
            if viewer is None:
                return False
            self._listener.viewer = viewer
        return True

    def _news(self, screen: Screen, topics: set[str]) -> bytes:
        listener = self._listener
        position = listener.position
        brought = dict(self._screens.news(screen, self, listener.viewer, position, topics))
        data = orjson.dumps({"topics": sorted(topics), "brought": list(brought)})
        return b"%bid: %b\nevent: change\ndata: %b\n\n" % (b"".join(brought.values()), position.encode(), data)
