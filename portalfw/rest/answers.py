"""How an answer becomes JSON, in the one place."""

from __future__ import annotations

from typing import Any

import orjson


def encoded(value: Any) -> bytes:
    """Return ``value`` as JSON without a newline at its end, which clients would take for a part of a task's id.

    :raises TypeError: if a part of it cannot be an answer.
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(by_alias=True)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be an answer")
