"""REST over HTTP: addresses, verbs, arguments from everywhere, both call styles, exact content types."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import flask
import orjson
from flask import Request, Response
from flask.globals import request_ctx
from werkzeug.datastructures import FileStorage, MultiDict

from portalfw.auth.origin import public_url
from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError, TooManyError
from portalfw.rest.answers import encoded
from portalfw.rest.arguments import UnknownArguments
from portalfw.rest.declaration import Method
from portalfw.rest.dispatch import Call, Dispatcher
from portalfw.rest.errors import error_body, status_of
from portalfw.rest.list_form import Form
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
    caller = _Caller(dispatcher, tasks)

    @routes.route("/restmachine/<app>/<actor>/<name>", methods=VERBS)
    def call_method(app: str, actor: str, name: str) -> Response:
        request = request_ctx.request  # the thing itself: each use of flask.request looks it up once more
        request_id = flask.g.request_id
        try:
            method = dispatcher.describe(f"{app}/{actor}/{name}")
            _check_verb(method, request)
            where = partial(public_url, request)
            call = Call(identify(request), request.remote_addr or "", "http", request_id, where)
            return caller.answer(method, arguments_of(request), call, request)
        except MethodNotAllowedError as error:
            response = failure(error, request_id)
            response.headers["Allow"] = error.allowed
            return response
        except PortalError as error:
            return failure(error, request_id)

    return routes


class _Caller:
    """Calls a method as a request wants it: at once or as a task, and its rows in the form that their reader takes."""

    def __init__(self, dispatcher: Dispatcher, tasks: Tasks) -> None:
        self._dispatcher = dispatcher
        self._tasks = tasks
        self._unknown = UnknownArguments()

    def answer(self, method: Method, given: dict[str, Any], call: Call, request: Request) -> Response:
        form = Form.of(given) if method.gathered is not None else None
        given = form.arguments(given) if form else given
        asynchronous = _wants_task(given)
        self._unknown.tell(method, given)
        declaration = method.declaration
        if asynchronous:
            _check_no_secret(method)
            return answer(self._tasks.start(method, given, call))
        if request.method == "POST" and not declaration.secret and "respond-async" in _preference(request):
            return _answer_soon(self._tasks.soon(method, given, call))
        found = self._dispatcher.run(method, given, call)
        body = form.body(found) if form else encoded(found)
        headers = (
            form.headers(method, found, counted="count=exact" in _preference(request))
            if form
            else [("Content-Type", JSON)]
        )
        if declaration.readonly and not declaration.secret and request.method != "POST":
            return _tagged(body, headers, request)
        return Response(body, headers=headers)


def answer(value: Any, status: int = 200) -> Response:
    """Return ``value`` as JSON."""
    return Response(encoded(value), status, [("Content-Type", JSON)])


def _answer_soon(found: bytes | str) -> Response:
    """Return an answer that is there already, or the id of the task that will have it (RFC 7240: Prefer)."""
    if isinstance(found, bytes):
        return Response(found, content_type=JSON)
    response = answer(found, 202)
    response.headers["Preference-Applied"] = "respond-async"
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
    environ = request.environ
    merged = _texts(request.args) if environ.get("QUERY_STRING") else {}
    if environ.get("CONTENT_TYPE") and request.mimetype == JSON:
        return merged | _json_object(request.get_data())
    if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
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


def _preference(request: Request) -> str:
    return str(request.environ.get("HTTP_PREFER", ""))


def _tagged(body: bytes, headers: list[tuple[str, str]], request: Request) -> Response:
    """Return a read with its ETag, without the body where the client has it already.

    The tag is weak, since the same answer may travel packed or not; who has it must ask each time whether it holds.
    """
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    described = [("ETag", f'W/"{tag}"'), ("Cache-Control", "private, no-cache"), ("Vary", "Authorization, Cookie")]
    if "HTTP_IF_NONE_MATCH" in request.environ and request.if_none_match.contains_weak(tag):
        return Response(status=304, headers=described)
    return Response(body, headers=headers + described)


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
