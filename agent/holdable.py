"""Whether JSON can hold a script's result, and if not, what of it and where."""

from __future__ import annotations

import json
import math
from typing import Any

from agent.limits import MAX_RESULT


def complaint(value: Any) -> str:
    """Return why a result cannot travel; nothing if it can."""
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return f"action() returned what JSON cannot hold: {_culprit(value, 'result', ()) or error}"
    if size > MAX_RESULT:
        return f"action() returned {size} bytes of JSON; at most {MAX_RESULT} can travel"
    return ""


def _culprit(value: Any, path: str, above: tuple[int, ...]) -> str:
    """Name the first part that does not fit: its path and its type."""
    if value is None or isinstance(value, (bool, int, str)):
        return ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{path} is {value}"
    if id(value) in above:
        return f"{path} contains itself"
    inner = (*above, id(value))
    if isinstance(value, dict):
        return next(filter(None, (_culprit_of_item(key, one, path, inner) for key, one in value.items())), "")
    if isinstance(value, (list, tuple)):
        return next(filter(None, (_culprit(one, f"{path}[{at}]", inner) for at, one in enumerate(value))), "")
    return f"{path} is of type {type(value).__qualname__}"


def _culprit_of_item(key: Any, value: Any, path: str, above: tuple[int, ...]) -> str:
    if key is not None and not isinstance(key, (str, int, float, bool)):
        return f"{path} has a key of type {type(key).__qualname__}"
    return _culprit(value, f"{path}[{key!r}]", above)
