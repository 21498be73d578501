"""Answers in gzip for clients that take it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from flask import Request, Response

from portalfw.offload import offload

SMALLEST: Final = 1024  # bytes; less is one packet anyhow
LEVEL: Final = 5
"""Measured on lists of machines: 20 kB to 15 % in 0.14 ms, 400 kB to 14 % in 3 ms; 6 gains 1 % and takes half more."""
ON_HUB: Final = 64 * 1024  # bytes; this takes 0.5 ms, more goes to a thread
TYPES: Final = frozenset({"application/json", "text/html"})


def compressed(request: Request, response: Response) -> Response:
    """Pack the body of ``response`` if ``request`` accepts that and it pays; streams and files stay as they are."""
    return _compressed(request, response, _packed)


def compressed_once(request: Request, response: Response) -> Response:
    """Do the same with a body that many ask for."""
    return _compressed(request, response, packed_once)


def _compressed(request: Request, response: Response, pack: Callable[[bytes], bytes]) -> Response:
    if response.is_streamed or response.direct_passthrough or "Content-Encoding" in response.headers:
        return response
    length = response.calculate_content_length() or 0
    if length < SMALLEST or response.mimetype not in TYPES:
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") <= 0:
        return response
    body = response.get_data()
    packed = pack(body) if length <= ON_HUB else offload(pack, body)
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    return response


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


packed_once = lru_cache(maxsize=64)(_packed)
