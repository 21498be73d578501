"""The agent's side of HTTP: one question to the controller, one typed answer."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

import requests
from pydantic import ValidationError

from agent.errors import AwayError, FailingError, RefusedError, RejectedError
from agent.protocol import Message
from agent.trust import distrust, trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Answer = TypeVar("Answer", bound=Message)
Read = TypeVar("Read")

TIMEOUT: Final = 10.0
"""Seconds for a question that is answered at once."""

CONNECT_TIMEOUT: Final = 5.0


class Client:
    """Speaks with one of the controllers, and with the next one when that is away.

    May be used from several threads; each has its own kept connections.
    """

    def __init__(self, urls: Sequence[str], credential: str | None = None, authority: Path | None = None) -> None:
        """Prepare for the controllers at these addresses, with the node's credential if there is one already.

        ``authority`` is the file of the private authorities that they must be signed by, if that exists.
        """
        self._urls = [url.rstrip("/") for url in urls]
        self._turn = random.randrange(len(urls))  # noqa: S311 - spreading load, no secret
        self.credential = credential
        self._authority = authority
        self._local = threading.local()

    @property
    def url(self) -> str:
        """The controller that is spoken with now."""
        return self._urls[self._turn]

    def get(self, path: str, answer: type[Answer], query: Mapping[str, str], timeout: float = TIMEOUT) -> Answer:
        """Ask; raises RefusedError, AwayError or RejectedError."""
        return self._request("GET", path, timeout, answer.model_validate_json, params=query)

    def post(self, path: str, message: Message, answer: type[Answer], timeout: float = TIMEOUT) -> Answer:
        """Tell; raises RefusedError, AwayError or RejectedError."""
        return self._request(
            "POST",
            path,
            timeout,
            answer.model_validate_json,
            data=message.model_dump_json().encode(),
            headers={"Content-Type": "application/json"},
        )

    def read(self, path: str) -> bytes:
        """Fetch a small file (a script); raises RefusedError, AwayError or RejectedError."""
        return self._request("GET", path, TIMEOUT, bytes)

    def _request(self, method: str, path: str, timeout: float, read: Callable[[bytes], Read], **options: Any) -> Read:
        """Ask the controller of the moment and return its answer's body as ``read`` understands it."""
        url = self.url
        try:
            response = self._session().request(
                method, f"{url}/agent/{path}", timeout=(CONNECT_TIMEOUT, timeout), allow_redirects=False, **options
            )
        except requests.exceptions.SSLError as error:
            self._leave(url)
            raise distrust(url, error) from error
        except requests.RequestException as error:
            self._leave(url)
            raise AwayError(f"controller {url} cannot be reached: {error}") from error
        if response.status_code != requests.codes.ok:
            refused = refusal(response)
            if isinstance(refused, AwayError):
                self._leave(url)
            raise refused
        try:
            return read(response.content)
        except ValidationError as error:
            self._leave(url)
            raise AwayError(f"{url} gives answers that are no controller's: {response.text[:200]!r}") from error

    def _leave(self, url: str) -> None:
        """Speak with the next controller from now on, unless another thread has left this one already."""
        if url == self.url:
            self._turn = (self._turn + 1) % len(self._urls)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # no proxy, no .netrc
            session.verify = trusted(self._authority)
        if self.credential:
            session.headers["Authorization"] = f"Bearer {self.credential}"
        return session


def refusal(response: requests.Response) -> RefusedError | AwayError | RejectedError:
    """Turn an answer that is not 200 into the error that says what to do about it.

    What does not come from a controller but from something on the way is no reason to give up anything.
    """
    status = response.status_code
    code, message = error_body(response)
    text = f"controller answered {status} to {response.request.method} {response.request.path_url}: {message}"
    if not code and status < requests.codes.server_error:
        return AwayError(text)
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
