"""Keep the hub free: blocking work runs in gevent's thread pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import gevent

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class _Failed:
    """What a function raised: carried back by hand, since gevent prints whatever it sees raised in a thread."""

    error: BaseException


def offload(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``function`` in a thread and return its result; the calling greenlet waits, the hub does not.

    For whatever may take longer than 5 ms without yielding: password hashing, git, large renders, files.
    """

    def run() -> R | _Failed:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            return _Failed(error)

    outcome: R | _Failed = gevent.get_hub().threadpool.apply(run)
    if isinstance(outcome, _Failed):
        raise outcome.error
    return outcome
