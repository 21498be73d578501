"""Server-sent events: one stream a page, which names the topics that have changed, and tells how far calls are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import flask
import orjson
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, UnauthenticatedError
from portalfw.events import Change, EventBus, Subscription
from portalfw.rest.tasks import Tasks
from portalfw.web.task_events import TaskEvents

TOPIC = re.compile(r"[a-z_]{1,40}(:[A-Za-z0-9-]{1,64}|:[a-z0-9-]{1,40}/[A-Za-z0-9%._~-]{1,120})?")
MOST_TOPICS = 300
HEARTBEAT = 15.0  # seconds; shows the browser, and proxies, that the stream lives
GATHER = 0.15  # seconds in which changes are gathered into one event


def blueprint(bus: EventBus, identify: Callable[[Request], Principal], tasks: Tasks) -> flask.Blueprint:
    """Return the route ``/events?topics=machine:3,disk&since=…``.

    ``since`` is the position that a page was rendered at, or the ``id`` of the last event: what changed between that
    and the opening of the stream is told first. A topic ``task:<guid>`` also brings events of the name ``task`` with
    what ``system/task/status`` answers, each step once; one that is not the viewer's brings one event ``refused``.
    """
    routes = flask.Blueprint("events", __name__)

    @routes.get("/events")
    def events() -> Response:
        viewer = identify(flask.request)
        if viewer.guest:
            raise UnauthenticatedError("Sign in to follow changes.")
        topics = [topic for topic in flask.request.args.get("topics", "").split(",") if topic]
        if not topics or len(topics) > MOST_TOPICS or not all(TOPIC.fullmatch(topic) for topic in topics):
            raise InvalidError("Argument topics must name 1 to 300 topics such as machine or machine:3.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if flask.request.method == "HEAD":  # a stream that nobody reads would never end its subscription
            return Response(content_type="text/event-stream", headers=headers)
        subscription = bus.subscribe(*topics)  # before looking back, so that nothing falls between the two
        since = flask.request.args.get("since")
        missed = bus.missed(since, topics) if since else set()
        followed = TaskEvents(tasks, viewer, topics)
        stream = _stream(bus, subscription, missed, followed)
        return Response(stream, content_type="text/event-stream", headers=headers)

    return routes


def _stream(bus: EventBus, subscription: Subscription, missed: set[str], tasks: TaskEvents) -> Iterator[bytes]:
    with subscription:
        yield _event(bus, missed) if missed else b": open\n\n"
        yield from tasks.first()
        while True:
            changes = _gather(subscription)
            topics = {change.topic for change in changes if tasks.may_hear(change)}
            yield _event(bus, topics) if topics else b": alive\n\n"
            yield from tasks.of(changes)
            if not changes:
                tasks.look()


def _event(bus: EventBus, topics: set[str]) -> bytes:
    data = orjson.dumps({"topics": sorted(topics)})
    return b"id: %b\nevent: change\ndata: %b\n\n" % (bus.position.encode(), data)


def _gather(subscription: Subscription) -> list[Change]:
    changes: list[Change] = []
    change = subscription.get(HEARTBEAT)
    limit = time.monotonic() + GATHER
    while change is not None:
        changes.append(change)
        change = subscription.get(max(0.0, limit - time.monotonic())) if time.monotonic() < limit else None
    return changes
