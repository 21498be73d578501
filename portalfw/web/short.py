"""The short way of small requests that come thousands of times a second: past WSGI, to a function for their path.

Only what is plain is read here: one whole HTTP/1.1 request (RFC 9112) that has come in one piece, with a body of a told
length. Anything else is left, untouched, to the web server proper, which answers the same paths too.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Response

from portalfw import errorconditions
from portalfw.errors import PortalError
from portalfw.later import Later
from portalfw.rest.dispatch import InternalError
from portalfw.rest.http import failure
from portalfw.web.traffic import Traffic

log = logging.getLogger(__name__)

LARGEST: Final = 65536
"""Bytes of a request that are looked at."""

TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
UNUSUAL: Final = frozenset({"transfer-encoding", "expect", "upgrade", "trailer"})
END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the names of its headers are in lower case."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keep(self) -> bool:
        """Tell whether the connection is to stay."""
        return self.headers.get("connection", "").lower() == "keep-alive" or "connection" not in self.headers


Answer = Response | Later
Way = Callable[[Request], Answer]


class Short:
    """Answers what takes the short way."""

    def __init__(self, ways: Mapping[tuple[str, str], Way], traffic: Traffic) -> None:
        """Answer by ``ways``, found by verb and path; each answer is counted in ``traffic``."""
        self._ways = ways
        self._traffic = traffic

    def take(self, data: bytes) -> Request | None:
        """Return the request that these bytes are, if it takes the short way."""
        request = read(data)
        return request if request is not None and (request.verb, request.path) in self._ways else None

    def answer(self, request: Request) -> Answer:
        """Answer what :meth:`take` has returned; failures are answers too."""
        began = time.perf_counter()
        try:
            found = self._ways[request.verb, request.path](request)
        except PortalError as error:
            found = failure(error, secrets.token_hex(8))
        except Exception as error:  # the edge: whatever it is, who asked hears that it failed
            identity = secrets.token_hex(16)
            log.exception("%s failed", identity)
            errorconditions.record("page", request.path, error, identity)
            found = failure(InternalError(f"This failed unexpectedly; the log has it under {identity}."), identity)
        status = str(found.status_code) if isinstance(found, Response) else "200"
        self._traffic.count(request.path, status[0], time.perf_counter() - began)
        return found


def read(data: bytes) -> Request | None:
    """Return the request that these bytes are, or None if they are another number of requests or not plain."""
    end = data.find(END)
    if end < 0 or len(data) > LARGEST:
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1" or not words[1].startswith("/") or not first.isprintable():  # noqa: PLR2004
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in headers or not TOKEN.fullmatch(name) or not value.isprintable():
            return None
        headers[name] = value.strip()
    if not UNUSUAL.isdisjoint(headers) or "host" not in headers:
        return None
    body = data[end + len(END) :]
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()) or int(length) != len(body):
        return None
    path, _, query = words[1].partition("?")
    return Request(words[0], path, query, headers, body)
