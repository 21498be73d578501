"""Server-sent events: one stream a page, which names the topics that have changed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import flask
import orjson
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, UnauthenticatedError
from portalfw.events import EventBus, Subscription

TOPIC = re.compile(r"[a-z_]{1,40}(:[A-Za-z0-9-]{1,64})?")
MOST_TOPICS = 300
HEARTBEAT = 15.0  # seconds; shows the browser, and proxies, that the stream lives
GATHER = 0.15  # seconds in which changes are gathered into one event


def blueprint(bus: EventBus, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return the route ``/events?topics=machine:3,disk&since=…``.

    ``since`` is the position that a page was rendered at, or the ``id`` of the last event: what changed between that
    and the opening of the stream is told first.
    """
    routes = flask.Blueprint("events", __name__)

    @routes.get("/events")
    def events() -> Response:
        if identify(flask.request).guest:
            raise UnauthenticatedError("Sign in to follow changes.")
        topics = [topic for topic in flask.request.args.get("topics", "").split(",") if topic]
        if not topics or len(topics) > MOST_TOPICS or not all(TOPIC.fullmatch(topic) for topic in topics):
            raise InvalidError("Argument topics must name 1 to 300 topics such as machine or machine:3.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        subscription = bus.subscribe(*topics)  # before looking back, so that nothing falls between the two
        since = flask.request.args.get("since")
        missed = bus.missed(since, topics) if since else set()
        return Response(_stream(bus, subscription, missed), content_type="text/event-stream", headers=headers)

    return routes


def _stream(bus: EventBus, subscription: Subscription, missed: set[str]) -> Iterator[bytes]:
    with subscription:
        yield _event(bus, missed) if missed else b": open\n\n"
        while True:
            topics = _gather(subscription)
            yield _event(bus, topics) if topics else b": alive\n\n"


def _event(bus: EventBus, topics: set[str]) -> bytes:
    data = orjson.dumps({"topics": sorted(topics)})
    return b"id: %b\nevent: change\ndata: %b\n\n" % (bus.position.encode(), data)


def _gather(subscription: Subscription) -> set[str]:
    topics: set[str] = set()
    change = subscription.get(HEARTBEAT)
    limit = time.monotonic() + GATHER
    while change is not None:
        topics.add(change.topic)
        change = subscription.get(max(0.0, limit - time.monotonic())) if time.monotonic() < limit else None
    return topics
