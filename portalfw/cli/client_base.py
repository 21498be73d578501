"""What every client file begins with; ``portalfw client`` copies it and adds a class for each actor."""

from __future__ import annotations

from collections.abc import Mapping
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
