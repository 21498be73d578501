"""What every client file begins with; ``portalfw client`` copies it and adds a class for each actor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests


class ApiError(Exception):
    """A call that the portal refused: ``status``, ``code`` and ``detail`` for programs, ``message`` for people."""

    def __init__(self, status: int, code: str, message: str, detail: Any = None, request_id: str = "") -> None:
        """Keep what the portal said; ``request_id`` is the one under which its log has the call."""
        super().__init__(f"{message} ({code}, {status})")
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.id = request_id


class Transport:
    """Sends calls to a portal, over connections that it keeps."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 300.0) -> None:
        """Name the portal, the API token, and the seconds that a call may take."""
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, address: str, arguments: Mapping[str, Any]) -> Any:
        """Call ``app/actor/method`` and return its answer; an argument that is None is not sent."""
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            response = self._session.post(f"{self._url}/restmachine/{address}", json=given, timeout=self._timeout)
        except requests.RequestException as error:
            raise ApiError(0, "unreachable", f"{self._url} does not answer: {error}") from error
        try:
            body = response.json()
        except requests.JSONDecodeError:
            body = {"message": response.text[:200]}
        if response.ok:
            return body
        found = body if isinstance(body, dict) else {"message": str(body)}
        message = str(found.get("message", response.reason))
        raise ApiError(
            response.status_code, str(found.get("error", "")), message, found.get("detail"), str(found.get("id", ""))
        )


class Portal:
    """What every client can do beyond its methods: begin a call that takes a while, and follow it to its end."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 300.0) -> None:
        """Name the portal, the API token, and the seconds that a call may take."""
        self._transport = Transport(url, token, timeout)

    def begin(self, address: str, arguments: Mapping[str, Any]) -> str:
        """Begin a call of ``app/actor/method``, its arguments by wire name, and return the id of its task."""
        return str(self._transport.call(address, {**arguments, "_async": True}))

    def follow(self, task: str, told: Callable[[dict[str, Any]], object] | None = None) -> Any:
        """Wait for the end of a task and return its answer; ``told`` hears each step that comes or moves on.

        A step has ``text``, ``done`` and ``total`` (numbers or None), ``level`` (``step``, or that of a job's line),
        ``number`` and ``at`` (epoch seconds). A task that fails or is killed raises ApiError, with the status 0.
        """
        revision = 0
        while True:
            asked = {"taskguid": task, "since": revision, "wait": 20}
            status = self._transport.call("system/task/status", asked)
            if told is not None:
                for step in status["steps"]:
                    told(step)
            revision = status["revision"]
            if status["finished"] is not None:
                break
        error = status["error"]
        if error is not None:
            raise ApiError(0, error["error"], error["message"], error["detail"], error["id"])
        return status["answer"]
