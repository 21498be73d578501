"""REST over HTTP: addresses, verbs, arguments from everywhere, both call styles, exact content types."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import flask
import orjson
from flask import Request, Response
from werkzeug.datastructures import FileStorage, MultiDict

from portalfw.auth.origin import public_url
from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError, TooManyError
from portalfw.rest import datatables
from portalfw.rest.answers import encoded
from portalfw.rest.arguments import UnknownArguments
from portalfw.rest.csv_rows import MEDIA_TYPE, as_csv
from portalfw.rest.declaration import Method
from portalfw.rest.dispatch import Call, Dispatcher
from portalfw.rest.errors import error_body, status_of
from portalfw.rest.tasks import Tasks

JSON = "application/json"  # exactly: a client of ours takes a charset suffix for a file
# All that there are, so that each is answered in the one shape.
VERBS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"]


class MethodNotAllowedError(PortalError):
    """The method does not answer this verb."""

    code = "method-not-allowed"

    def __init__(self, method: Method, verb: str) -> None:
        """Name the method and what it does answer."""
        self.allowed = ", ".join(method.declaration.http)
        super().__init__(f"{method.address} answers {self.allowed}, not {verb}.")


def blueprint(dispatcher: Dispatcher, identify: Callable[[Request], Principal], tasks: Tasks) -> flask.Blueprint:
    """Return the routes below ``/restmachine/``; ``identify`` tells who sends a request.

    A call with ``_async`` answers with the id of a task of ``tasks``, every other one with what the method returns.
    """
    routes = flask.Blueprint("rest", __name__)
    unknown = UnknownArguments()

    @routes.route("/restmachine/<app>/<actor>/<name>", methods=VERBS)
    def call_method(app: str, actor: str, name: str) -> Response:
        request = flask.request
        request_id = flask.g.request_id
        try:
            method = dispatcher.describe(f"{app}/{actor}/{name}")
            _check_verb(method, request)
            call = Call(identify(request), request.remote_addr or "", "http", request_id, public_url(request))
            given = arguments_of(request)
            in_csv = method.gathered is not None and given.pop("_format", "") == "csv"
            table = method.gathered is not None and datatables.asks(given)
            draw = given.get("draw")
            if table:
                given = datatables.arguments(given)
            asynchronous = _wants_task(given)
            unknown.tell(method, given)
            if asynchronous:
                _check_no_secret(method)
                return answer(tasks.start(method, given, call))
            if (
                request.method == "POST"
                and not method.declaration.secret
                and "respond-async" in request.headers.get("Prefer", "")
            ):
                return _answer_soon(tasks.soon(method, given, call))
            found = dispatcher.run(method, given, call)
            response = _csv(method, found) if in_csv else answer(datatables.envelope(draw, found) if table else found)
            if method.gathered is not None and given.get("limit"):
                response.headers["X-Total-Count"] = str(found.matching)
            readable = method.declaration.readonly and request.method in {"GET", "HEAD"}
            return _tagged(response, request) if readable and not method.declaration.secret else response
        except MethodNotAllowedError as error:
            response = failure(error, request_id)
            response.headers["Allow"] = error.allowed
            return response
        except PortalError as error:
            return failure(error, request_id)

    return routes


def answer(value: Any, status: int = 200) -> Response:
    """Return ``value`` as JSON."""
    return Response(encoded(value), status, content_type=JSON)


def _answer_soon(found: bytes | str) -> Response:
    """Return an answer that is there already, or the id of the task that will have it (RFC 7240: Prefer)."""
    if isinstance(found, bytes):
        return Response(found, content_type=JSON)
    response = answer(found, 202)
    response.headers["Preference-Applied"] = "respond-async"
    return response


def _csv(method: Method, rows: Any) -> Response:
    response = Response(as_csv(rows), content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{method.address.replace("/", "-")}.csv"'
    return response


def failure(error: PortalError, request_id: str) -> Response:
    """Return ``error`` in the one shape."""
    response = answer(error_body(error, request_id), status_of(error))
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def arguments_of(request: Request) -> dict[str, Any]:
    """Merge query string, form, uploaded texts and JSON body, later ones winning; a repeated name is a list.

    :raises InvalidError: if the body says it is a JSON object and is not, or an uploaded file is no UTF-8 text.
    """
    merged = _texts(request.args)
    if request.mimetype == JSON:
        return merged | _json_object(request.get_data())
    if request.content_length or "Transfer-Encoding" in request.headers:
        merged |= _texts(request.form)
        merged |= {name: _uploaded(name, file) for name, file in request.files.items()}
    return merged


def _texts(source: MultiDict[str, str]) -> dict[str, Any]:
    return {name: values[0] if len(values) == 1 else values for name, values in source.lists()}


def _uploaded(name: str, file: FileStorage) -> str:
    try:
        return str(file.read(), "utf-8")
    except UnicodeDecodeError as error:
        raise InvalidError(f"Argument {name}: the file must be UTF-8 text.", detail={"argument": name}) from error


def _wants_task(given: dict[str, Any]) -> bool:
    """Take ``_async`` out of the arguments, and tell whether it asks for a task."""
    return str(given.pop("_async", "")).lower() in {"true", "1"}


def _tagged(response: Response, request: Request) -> Response:
    """Give a read its ETag, and spare the body where the client has it already.

    The tag is weak, since the same answer may travel packed or not; who has it must ask each time whether it holds.
    """
    tag = hashlib.blake2b(response.get_data(), digest_size=12).hexdigest()
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    response.headers["ETag"] = f'W/"{tag}"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    return response


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


def _check_no_secret(method: Method) -> None:
    if method.declaration.secret:
        raise InvalidError(
            f"{method.address} answers with a secret, which no task may keep; call it without _async.",
            detail={"argument": "_async"},
        )


def _check_verb(method: Method, request: Request) -> None:
    """Refuse a verb that the method does not answer; who may GET may HEAD."""
    asked = "GET" if request.method == "HEAD" and method.declaration.readonly else request.method
    if asked not in method.declaration.http:
        raise MethodNotAllowedError(method, request.method)
