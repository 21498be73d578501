"""An actor that measures what a call costs beyond what Flask costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import flask
import flask.testing
import gevent

from portalfw.rest import Actor, method

PATH = "/restmachine/system/usermanager/whoami"


class Dispatch(Actor, app="bench"):
    """Calls without a network."""

    @method(right="group:admin")
    def overhead(self, credential: str, count: int) -> dict[str, list[float]]:
        """Return the microseconds of ``count`` calls each: of a route of bare Flask, and of a method that reads.

        Both go through WSGI in this process with the same headers, by turns so that a slow moment meets both.
        """
        ours = flask.current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way
        bare = flask.Flask("bare")
        bare.add_url_rule(PATH, view_func=lambda: flask.jsonify({"name": "admin", "admin": True}))
        found: dict[str, list[float]] = {"bare": [], "ours": []}
        greenlet = gevent.spawn(_measure, {"bare": bare, "ours": ours}, credential, count, found)
        greenlet.get()
        return found


def _measure(apps: dict[str, Callable[..., Any]], credential: str, count: int, found: dict[str, list[float]]) -> None:
    for _ in range(count):
        for name, app in apps.items():
            environ = flask.testing.EnvironBuilder(
                apps["bare"], PATH, headers={"Authorization": f"Bearer {credential}"}
            ).get_environ()
            began = time.perf_counter()
            statuses: list[str] = []
            body = b"".join(app(environ, lambda status, *_, kept=statuses: kept.append(status)))
            found[name].append((time.perf_counter() - began) * 1e6)
            if not (statuses[0].startswith("200") and body):
                raise RuntimeError(f"{name} answered {statuses[0]}")
