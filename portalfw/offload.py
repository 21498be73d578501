"""Keep the hub free: blocking work runs in gevent's thread pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gevent

P = ParamSpec("P")
R = TypeVar("R")


def offload(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``function`` in a thread and return its result; the calling greenlet waits, the hub does not.

    For whatever may take longer than 5 ms without yielding: password hashing, git, large renders, files.
    """
    return gevent.get_hub().threadpool.apply(function, args, kwargs)
