"""REST over HTTP: addresses, verbs, arguments from everywhere, exact content types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
import orjson
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError, TooManyError
from portalfw.rest.declaration import Method
from portalfw.rest.dispatch import Call, Dispatcher
from portalfw.rest.errors import error_body, status_of

JSON = "application/json"  # exactly: a client of ours takes a charset suffix for a file


class MethodNotAllowedError(PortalError):
    """The method does not answer this verb."""

    code = "method-not-allowed"


def blueprint(dispatcher: Dispatcher, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return the routes below ``/restmachine/``; ``identify`` tells who sends a request."""
    routes = flask.Blueprint("rest", __name__)

    @routes.route("/restmachine/<app>/<actor>/<name>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    def call_method(app: str, actor: str, name: str) -> Response:
        request = flask.request
        request_id = flask.g.request_id
        try:
            method = dispatcher.describe(f"{app}/{actor}/{name}")
            _check_verb(method, request)
            call = Call(identify(request), request.remote_addr or "", "http", request_id)
            return answer(dispatcher.run(method, arguments_of(request), call))
        except PortalError as error:
            return failure(error, request_id)

    return routes


def answer(value: Any, status: int = 200) -> Response:
    """Return ``value`` as JSON."""
    body = orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, content_type=JSON)


def failure(error: PortalError, request_id: str) -> Response:
    """Return ``error`` in the one shape."""
    response = answer(error_body(error, request_id), status_of(error))
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def arguments_of(request: Request) -> dict[str, Any]:
    """Merge query string, form and JSON body, later ones winning; a repeated name is a list.

    :raises InvalidError: if the body says it is a JSON object and is not.
    """
    merged: dict[str, Any] = {}
    for source in (request.args, request.form):
        for name, values in source.lists():
            merged[name] = values[0] if len(values) == 1 else values
    if request.mimetype == JSON:
        merged |= _json_object(request.get_data())
    return merged


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InvalidError("The body must be a JSON object with the arguments by name.")
    return value


def _check_verb(method: Method, request: Request) -> None:
    if request.method not in method.declaration.http:
        allowed = ", ".join(method.declaration.http)
        raise MethodNotAllowedError(f"{method.address} answers {allowed}, not {request.method}.")


def _plain(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(by_alias=True)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be an answer")
