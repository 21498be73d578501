"""When a schedule's occurrences are due: every so many seconds, or by a cron expression, in UTC."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Final

from cronsim import CronSim, CronSimError

from portalfw.errors import InvalidError

SHORTEST: Final = 1.0
"""Seconds: occurrences that come quicker are no schedule but a loop."""

LONGEST: Final = 366 * 86400.0

When = float | str


def check_when(when: When) -> When:
    """Return when, as it is kept.

    Args:
        when: seconds, or a cron expression of five fields, or of six with the seconds first.

    Raises:
        InvalidError: it is neither, or never comes true.

    """
    if isinstance(when, str):
        text = " ".join(when.split())
        try:
            next(_cron(text, 0.0))
        except (CronSimError, StopIteration) as error:
            raise _wrong(f"the cron expression {when!r} {_reason(error)}") from error
        return text
    if not SHORTEST <= when <= LONGEST:
        raise _wrong(f"{when:g} seconds; from {SHORTEST:g} to {LONGEST:.0f} are possible")
    return float(when)


def read_when(text: str) -> When:
    """Return what somebody wrote, seconds or a cron expression; raises InvalidError."""
    try:
        return check_when(float(text))
    except ValueError as error:
        if isinstance(error, InvalidError):
            raise
        return check_when(text)


def following(when: When, at: float) -> float:
    """Return when the first occurrence after ``at`` is due.

    Multiples of an interval count from the epoch, so that every process comes to the same.
    """
    if isinstance(when, str):
        return next(_cron(when, at)).timestamp()
    return (at // when + 1) * when


def overdue(when: When, first: float, now: float, most: int) -> list[float]:
    """Return the occurrences from ``first``, which is one, up to now: the first ones of more than ``most``."""
    found = [first]
    while len(found) < most and (due := following(when, found[-1])) <= now:
        found.append(due)
    return found


def shifted(key: str, due: float, jitter: float) -> float:
    """Return when an occurrence begins: up to ``jitter`` seconds after it is due, the same in every process."""
    digest = hashlib.sha256(f"{key}:{due:.3f}".encode()).digest()
    return due + jitter * int.from_bytes(digest[:4]) / 2**32


def _cron(text: str, at: float) -> Iterator[dt.datetime]:
    return CronSim(text, dt.datetime.fromtimestamp(at, dt.UTC))


def _reason(error: Exception) -> str:
    return f"is wrong: {error}" if isinstance(error, CronSimError) else "never comes true"


def _wrong(said: str) -> InvalidError:
    return InvalidError(f"when: {said}.", detail={"argument": "when"})
