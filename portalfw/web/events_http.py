"""Server-sent events: one stream a page, which names the topics that have changed, and tells how far calls are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import flask
import orjson
from flask import Request, Response
from flask.globals import request_ctx

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError, UnauthenticatedError
from portalfw.rest.tasks import Tasks
from portalfw.web.beats import Beats, Listener
from portalfw.web.task_events import TaskEvents

TOPIC = re.compile(r"[a-z_]{1,40}(:[A-Za-z0-9-]{1,64}|:[a-z0-9-]{1,40}/[A-Za-z0-9%._~-]{1,120})?")
MOST_TOPICS = 300
HEARTBEAT = 15.0  # seconds; shows the browser, and proxies, that the stream lives


def blueprint(beats: Beats, identify: Callable[[Request], Principal], tasks: Tasks) -> flask.Blueprint:
    """Return the route ``/events?topics=machine:3,disk&since=…``.

    ``since`` is the position that a page was rendered at, or the ``id`` of the last event: what changed between that
    and the opening of the stream is told first. Nobody hears of what he may not read. A topic ``task:<guid>`` also
    brings events of the name ``task`` with what ``system/task/status`` answers, each step once; one that is not the
    viewer's brings one event ``refused``.
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
        stream = _stream(listener, followed, lambda: _still(identify, request))
        return Response(stream, content_type="text/event-stream", headers=headers)

    return routes


def _still(identify: Callable[[Request], Principal], request: Request) -> Principal | None:
    """Return who the viewer is by now, None if that is nobody."""
    try:
        viewer = identify(request)
    except PortalError:
        return None
    return None if viewer.guest else viewer


def _stream(listener: Listener, tasks: TaskEvents, still: Callable[[], Principal | None]) -> Iterator[bytes]:
    try:
        yield b": open\n\n"
        yield from tasks.first()
        while True:
            topics, changed = listener.wait(HEARTBEAT)
            if listener.doubted:
                listener.doubted, viewer = False, still()
                if viewer is None:
                    return
                listener.viewer = viewer
            topics |= {change.topic for change in changed if tasks.may_hear(change)}
            yield _event(listener.position, topics) if topics else b": alive\n\n"
            yield from tasks.of(changed)
            if not topics:
                tasks.look()
    finally:
        listener.close()


def _event(position: str, topics: set[str]) -> bytes:
    data = orjson.dumps({"topics": sorted(topics)})
    return b"id: %b\nevent: change\ndata: %b\n\n" % (position.encode(), data)
