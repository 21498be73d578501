"""The agent's side of HTTP: one question to the controller, one typed answer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

import requests

from agent.errors import AwayError, FailingError, RefusedError, RejectedError
from agent.protocol import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

Answer = TypeVar("Answer", bound=Message)

TIMEOUT: Final = 10.0
"""Seconds for a question that is answered at once."""

CONNECT_TIMEOUT: Final = 5.0


class Client:
    """Speaks with one controller. May be used from several threads; each has its own kept connection."""

    def __init__(self, url: str, credential: str | None = None) -> None:
        """Prepare for the controller at this address, with the node's credential if there is one already."""
        self.url = url.rstrip("/")
        self.credential = credential
        self._local = threading.local()

    def get(self, path: str, answer: type[Answer], query: Mapping[str, str], timeout: float = TIMEOUT) -> Answer:
        """Ask; raises RefusedError, AwayError or RejectedError."""
        return answer.model_validate_json(self._request("GET", path, timeout, params=query).content)

    def post(self, path: str, message: Message, answer: type[Answer], timeout: float = TIMEOUT) -> Answer:
        """Tell; raises RefusedError, AwayError or RejectedError."""
        response = self._request(
            "POST",
            path,
            timeout,
            data=message.model_dump_json().encode(),
            headers={"Content-Type": "application/json"},
        )
        return answer.model_validate_json(response.content)

    def read(self, path: str) -> bytes:
        """Fetch a small file (a script); raises RefusedError, AwayError or RejectedError."""
        return self._request("GET", path, TIMEOUT).content

    def _request(self, method: str, path: str, timeout: float, **options: Any) -> requests.Response:
        try:
            response = self._session().request(
                method, f"{self.url}/agent/{path}", timeout=(CONNECT_TIMEOUT, timeout), allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise AwayError(f"controller {self.url} cannot be reached: {error}") from error
        if response.status_code != requests.codes.ok:
            raise refusal(response)
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # no proxy, no .netrc; but the authorities that an operator names as usual:
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        if self.credential:
            session.headers["Authorization"] = f"Bearer {self.credential}"
        return session


def refusal(response: requests.Response) -> RefusedError | AwayError | RejectedError:
    """Turn an answer that is not 200 into the error that says what to do about it."""
    status = response.status_code
    code, message = error_body(response)
    text = f"controller answered {status} to {response.request.method} {response.request.path_url}: {message}"
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        return RefusedError(message)
    if status >= requests.codes.server_error or status == requests.codes.too_many_requests:
        return FailingError(text)
    return RejectedError(text, status=status, code=code)


def error_body(response: requests.Response) -> tuple[str, str]:
    """Return code and message of the controller's error, or what a proxy in between said."""
    try:
        body = response.json()
        return str(body["error"]), str(body["message"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        return "", response.text[:200]
