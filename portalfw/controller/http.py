"""The agents' addresses, below ``/agent/``."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import flask
from flask import Response
from pydantic import ValidationError
from werkzeug.exceptions import NotFound

from agent.protocol import (
    Alone,
    Ask,
    Bye,
    Confirmed,
    Counted,
    Enroll,
    Hello,
    Message,
    Nothing,
    Output,
    Received,
    Renew,
    Report,
    Samples,
    Welcome,
    Work,
)
from portalfw.auth.credentials import bearer
from portalfw.controller.documents import site_prefix
from portalfw.controller.parking import Question
from portalfw.controller.schedules import take_alone
from portalfw.controller.standing import place
from portalfw.errors import InvalidError, NotFoundError, PortalError
from portalfw.later import PUT_OFF
from portalfw.rest.http import failure

if TYPE_CHECKING:
    from portalfw.controller.controller import Controller
    from portalfw.web.short import Answer, Request, Way

M = TypeVar("M", bound=Message)
Row = dict[str, Any]


class Endpoints:
    """What each address does; ``node`` is the row of the node whose agent calls."""

    def __init__(self, controller: Controller) -> None:
        """Answer for a controller."""
        self._controller = controller
        self._queue = controller.queue
        self._site = functools.cache(site_prefix)

    def enroll(self) -> Message:
        """Trade a join token for a credential; the only address that needs none."""
        return self._controller.nodes.enroll(_body(Enroll), flask.request.remote_addr or "")

    def authority(self) -> Response:
        """Tell the private authorities; who asks has a pin to check them by, and needs no credential yet."""
        text = self._controller.authority.pem()
        if not text:
            raise NotFoundError("This portal has no private authority (setting tls_authority).")
        return Response(text, content_type="application/x-pem-file")

    def hello(self, node: Row) -> Message:
        """Note that an agent is there, and what it still has of what it was given."""
        message = _body(Hello)
        if node.get("boot_id") != message.boot_id:
            self._controller.schedules.booted(node, message.boot_id)  # first: who dies here is told again
        # Looked at before the hello counts: what a later one is given must not be taken from it, should we be held up.
        given = self._queue.given(node["id"]) if message.holding is not None else []
        self._controller.nodes.hello(node["id"], message, flask.request.remote_addr or "")
        if message.holding is not None:
            self._controller.parking.greet(node["id"], message.session)
            self._queue.recover(given, message.holding, reason=_why_gone(node, message))
            self._queue.renew(node["id"], message.holding)
        standing = self._controller.standing.of(place(node))
        return Welcome(
            node_id=node["id"],
            name=node["name"],
            site=self._site(),
            roles=node["roles"],
            status=node["status"],
            lease=self._queue.lease,
            standing=standing.orders,
            orders=standing.name,
            rotate=bool(node.get("rotate")),
            authorities=self._controller.authority.pem(),
        )

    def credential(self, node: Row) -> Message:
        """Give a new credential in the place of the present one."""
        return self._controller.nodes.rotate(node["id"])

    def alone(self, node: Row) -> Message:
        """Take what the agent ran while no controller was there."""
        return Confirmed(accepted=take_alone(node["id"], _body(Alone)))

    def bye(self, node: Row) -> Message:
        """Note that an agent goes."""
        message = _body(Bye)
        if node.get("session") != message.session:
            return Nothing()  # it comes late: the next agent process is there already, and what is given is its
        self._controller.parking.release(node["id"])
        given = self._queue.given(node["id"], message.session)
        self._queue.recover(given, message.holding, reason="the agent was stopped")
        self._controller.nodes.left(node["id"], message.session, float("inf"))
        return Nothing()

    def jobs(self, node: Row) -> Message:
        """Give work, once there is some: later where the server can wait without a greenlet."""
        found = self.work(node, flask.request.args.to_dict())
        if not isinstance(found, Question):
            return found
        put_off = flask.request.environ.get(PUT_OFF)
        if put_off is None:
            return found.wait()
        put_off(_LaterWork(found))
        return Nothing()

    def work(self, node: Row, query: dict[str, str]) -> Work | Question:
        """Return work that is there, or the question that waits for some."""
        try:
            ask = Ask.from_query(query)
        except ValidationError as error:
            raise _invalid(error) from error
        question = self._controller.parking.ask(node, ask)
        return question.look() or question

    def report(self, node: Row) -> Message:
        """Take in what an agent says of its jobs: which it is about to start, and which have ended."""
        return self.reported(node, flask.request.get_data())

    def reported(self, node: Row, body: bytes) -> Message:
        """Take in a report as it came."""
        return self._queue.report(node["id"], _read(Report, body))

    def renew(self, node: Row) -> Message:
        """Prolong leases."""
        return self._queue.renew(node["id"], _body(Renew).jobs)

    def output(self, node: Row, job: int) -> Message:
        """Take lines of output."""
        return Received(next=self._queue.output(node["id"], job, _body(Output)))

    def statistics(self, node: Row) -> Message:
        """Take what a node has measured."""
        return Counted(upto=self._controller.statistics.take(node["id"], _body(Samples)))

    def script(self, node: Row, sha256: str) -> Response:
        """Give the text of a script."""
        del node
        return Response(self._controller.scripts.source(sha256), content_type="text/x-python; charset=utf-8")

    def file(self, node: Row, name: str) -> Response:
        """Give a file of the portal's folder of images."""
        del node
        folder: Path = self._controller.files
        try:
            return flask.send_from_directory(folder, name, mimetype="application/octet-stream", etag=False)
        except NotFound as error:
            raise NotFoundError(f"There is no file {name} in the portal's folder of images.") from error


def blueprint(controller: Controller) -> flask.Blueprint:
    """Return the routes below ``/agent/``."""
    routes = flask.Blueprint("agent", __name__, url_prefix="/agent")
    endpoints = Endpoints(controller)

    def add(rule: str, verb: str, endpoint: Callable[..., Message | Response], *, node: bool = True) -> None:
        view = _answering(_with_node(endpoint, controller) if node else endpoint)
        routes.add_url_rule(rule, endpoint.__name__, view, methods=[verb])

    add("/enroll", "POST", endpoints.enroll, node=False)
    add("/authority", "GET", endpoints.authority, node=False)
    add("/hello", "POST", endpoints.hello)
    add("/credential", "POST", endpoints.credential)
    add("/alone", "POST", endpoints.alone)
    add("/bye", "POST", endpoints.bye)
    add("/jobs", "GET", endpoints.jobs)
    add("/jobs/renew", "POST", endpoints.renew)
    add("/jobs/<int:job>/output", "POST", endpoints.output)
    add("/report", "POST", endpoints.report)
    add("/statistics", "POST", endpoints.statistics)
    add("/scripts/<sha256>", "GET", endpoints.script)
    add("/files/<path:name>", "GET", endpoints.file)
    return routes


def short_ways(controller: Controller) -> dict[tuple[str, str], Way]:
    """Return what agents ask and say most often, for the short way: the same as :func:`blueprint` does."""
    endpoints = Endpoints(controller)

    def node(request: Request) -> Row:
        return controller.nodes.authenticate(bearer(request.headers.get("authorization", "")))

    def jobs(request: Request) -> Answer:
        found = endpoints.work(node(request), dict(parse_qsl(request.query, keep_blank_values=True)))
        return _LaterWork(found) if isinstance(found, Question) else _response(found)

    def report(request: Request) -> Answer:
        return _response(endpoints.reported(node(request), request.body))

    return {("GET", "/agent/jobs"): jobs, ("POST", "/agent/report"): report}


def _with_node(
    endpoint: Callable[..., Message | Response], controller: Controller
) -> Callable[..., Message | Response]:
    @functools.wraps(endpoint)
    def view(**path: Any) -> Message | Response:
        return endpoint(controller.nodes.authenticate(bearer(flask.request.headers.get("Authorization", ""))), **path)

    return view


def _answering(endpoint: Callable[..., Message | Response]) -> Callable[..., Response]:
    @functools.wraps(endpoint)
    def view(**path: Any) -> Response:
        try:
            answer = endpoint(**path)
        except PortalError as error:
            return failure(error, flask.g.get("request_id") or secrets.token_hex(8))
        return _response(answer) if isinstance(answer, Message) else answer

    return view


class _LaterWork:
    """The answer to a parked question, as HTTP."""

    __slots__ = ("_question", "begin", "cut", "seconds")

    def __init__(self, question: Question) -> None:
        self._question = question
        self.seconds = question.seconds
        self.begin = question.begin
        self.cut = question.cut

    def look(self, *, last: bool) -> Response | None:
        try:
            work = self._question.look(last=last)
        except PortalError as error:
            return failure(error, secrets.token_hex(8))
        return None if work is None else _response(work)


def _response(message: Message) -> Response:
    return Response(message.model_dump_json(), content_type="application/json")


def _why_gone(node: Row, message: Hello) -> str:
    """Say why an agent does not have a job that it was given before."""
    if node.get("boot_id") != message.boot_id:
        return "the node was restarted while it had the job"
    if node.get("session") != message.session:
        return "the agent was restarted while it had the job"
    return "the agent does not have the job any more"


def _body(model: type[M]) -> M:
    return _read(model, flask.request.get_data())


def _read(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: ValidationError) -> InvalidError:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    return InvalidError(f"{name or 'The body'}: {first['msg']}.", detail={"argument": name})
