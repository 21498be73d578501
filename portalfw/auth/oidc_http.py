"""Requests to a provider: bounded in time and size, followed nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import gevent
import requests
from requests.adapters import HTTPAdapter

S = TypeVar("S", bound=requests.Session)

CONNECT, READ = 5.0, 10.0  # seconds for a connection, and between two pieces of an answer
WHOLE = 15.0  # seconds for one exchange altogether, however slowly it trickles
LARGEST = 1 << 20  # bytes of an answer; discovery documents and key sets have a few KiB


class Bounded(HTTPAdapter):
    """Reads each answer at once, up to :data:`LARGEST`, within :data:`WHOLE`."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send ``request`` and return the answer with its body.

        :raises requests.RequestException: if it does not come whole within the bounds.
        """
        kwargs.update(stream=True, timeout=(CONNECT, READ))
        with gevent.Timeout(WHOLE, requests.Timeout(f"no whole answer within {WHOLE:.0f} s")):
            response = super().send(request, *args, **kwargs)
            try:
                body = b"".join(_pieces(response))
            finally:
                response.close()
        response._content = body  # noqa: SLF001 - where requests keeps a body that was read
        return response


def _pieces(response: requests.Response) -> Iterator[bytes]:
    size = 0
    for piece in response.iter_content(1 << 14):
        size += len(piece)
        if size > LARGEST:
            raise requests.exceptions.ContentDecodingError(f"an answer larger than {LARGEST} bytes")
        yield piece


@contextmanager
def bounded(session: S) -> Iterator[S]:
    """Give ``session`` the bounds; it follows no redirects, since nothing that is asked for here has moved."""
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, Bounded())
    with session:
        yield session


def fetch_json(address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object at ``address``.

    :raises requests.RequestException: if it cannot be had.
    """
    with bounded(requests.Session()) as session:
        response = session.get(address, headers={"Accept": "application/json", **(headers or {})})
        response.raise_for_status()
        value = response.json()
    if not isinstance(value, dict):
        raise requests.exceptions.InvalidJSONError(f"{address} does not answer a JSON object")
    return value
