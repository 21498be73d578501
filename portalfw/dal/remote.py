"""An installation as people's programs reach it: by HTTP, with a token."""

from __future__ import annotations

import time
from typing import Any, Final

import requests

from portalfw.dal.datacenter import Installation
from portalfw.dal.job import JobHandle
from portalfw.dal.link import Link, News, Order
from portalfw.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PortalError,
    TooManyError,
    UnauthenticatedError,
    UnavailableError,
)

PATIENCE: Final = 5
"""Questions for news in a row that may find no portal; one that is restarted is back by then."""

PAUSE: Final = 1.0
TIMEOUT: Final = (10.0, 300.0)
"""Seconds to connect, and for an answer."""

KINDS: Final = {
    one.code: one
    for one in (InvalidError, UnauthenticatedError, ForbiddenError, NotFoundError, ConflictError, UnavailableError)
}


class Datacenter(Installation[JobHandle]):
    """The installation at an address, as the owner of a token."""

    def __init__(self, url: str, token: str, *, verify: str | bool = True) -> None:
        """Name the portal; nothing is asked yet.

        Args:
            url: for instance ``https://cloud.example.org``.
            token: an API token (``portalfw token create``).
            verify: file of the private authorities that the portal is signed by; the usual ones if not given.

        """
        super().__init__(RemoteLink(url, token, verify=verify), JobHandle)


class RemoteLink(Link):
    """Calls the methods of a portal by HTTP."""

    def __init__(self, url: str, token: str, *, verify: str | bool = True) -> None:
        """Name the portal; nothing is asked yet."""
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        if verify is not True:
            self._session.verify = verify

    def call(self, address: str, **arguments: Any) -> Any:
        """Call a method; raises the PortalError that it raised, UnavailableError if the portal does not answer."""
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            response = self._session.post(
                f"{self._url}/restmachine/{address}", json=given, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise UnavailableError(f"The portal at {self._url} does not answer: {error}") from error
        return _answer(response)

    def submit(self, order: Order) -> int:
        """Queue a job; its owner is the token's."""
        if order.submitted_by:
            raise InvalidError("submitted_by: a job belongs to the owner of the token.")
        return super().submit(order)

    def news(self, job_id: int, attempt: int, line: int, wait: float) -> News:
        """Ask for news, again if the portal is away for a moment."""
        for left in reversed(range(PATIENCE)):
            try:
                return super().news(job_id, attempt, line, wait)
            except UnavailableError:
                if not left:
                    raise
                time.sleep(PAUSE)
        raise UnavailableError(f"Job {job_id} could not be followed.")


def _answer(response: requests.Response) -> Any:
    try:
        body = response.json()
    except requests.JSONDecodeError as error:
        if response.status_code >= requests.codes.server_error:
            raise UnavailableError(f"{response.url} answered {response.status_code}.") from error
        raise PortalError(
            f"{response.url} answered {response.status_code} {response.reason}; is it a portal?"
        ) from error
    if response.ok:
        return body
    code, message, detail = str(body.get("error")), str(body.get("message")), body.get("detail")
    if code == TooManyError.code:
        raise UnavailableError(message, detail=detail)
    raise KINDS.get(code, PortalError)(message, detail=detail)
