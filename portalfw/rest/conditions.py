"""What a filter of a list says: ``>=512``, ``2..8``, ``=web-1``, ``!RUNNING``, ``-4d..`` and their like."""

from __future__ import annotations

import datetime as dt
import operator
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from portalfw.errors import InvalidError

Kind = Literal["number", "text", "flag", "time", "date"]  # time: epoch seconds, date: the database's own
LONGEST: Final = 500  # characters of a filter or a search
MOST_VALUES: Final = 500  # alternatives in one filter

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
ORDERS: Final = {">=": "$gte", "<=": "$lte", ">": "$gt", "<": "$lt"}
WORDS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
HELP: Final = {
    "number": "a number, >=2, <8, 2..8 or !2",
    "time": "a time (2026-11-22, 2026-11-22T14:00, epoch seconds, -4d, -1h), >= or < before it, or two with .. between",
    "date": "a time (2026-11-22, 2026-11-22T14:00, epoch seconds, -4d, -1h), >= or < before it, or two with .. between",
    "flag": "true or false",
    "text": "a part of the text, =exactly, or either with ! before it",
}
_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$gte": operator.ge,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$lt": operator.lt,
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$in": lambda value, wanted: value in wanted,
}


@dataclass(frozen=True)
class Condition:
    """What one value must be, in MongoDB's operators; a text's pattern stands under ``$regex``.

    ``negated`` turns a pattern round: no part of the value may be so.
    """

    operators: Mapping[str, Any]
    negated: bool = False

    def query(self) -> dict[str, Any]:
        """Return it as what MongoDB asks of a field."""
        if "$regex" in self.operators:
            pattern = {"$regex": self.operators["$regex"], "$options": "i"}
            return {"$not": pattern} if self.negated else pattern
        return dict(self.operators)

    def matches(self, value: Any) -> bool:
        """Tell whether a value is so; of a list, whether one of its parts is."""
        if "$regex" in self.operators:
            found = any(
                re.search(self.operators["$regex"], str(part), re.IGNORECASE)
                for part in _parts(value)
                if part is not None
            )
            return found is not self.negated
        return all(_holds(name, value, wanted) for name, wanted in self.operators.items())


def condition(name: str, kind: Kind, given: Any) -> Condition:
    """Return what the filter ``given`` on the column ``name`` asks; a list means any of its values.

    :raises InvalidError: naming the column and what it takes.
    """
    if isinstance(given, list):
        if len(given) > MOST_VALUES:
            raise InvalidError(f"filter.{name}: {MOST_VALUES} values at most.", detail={"argument": "filter"})
        return Condition({"$in": [_value(name, kind, part) for part in given]})
    if kind == "text":
        return _text(name, given)
    text = str(given).strip()
    order = next((sign for sign in ORDERS if text.startswith(sign)), None)
    if order:
        return Condition({ORDERS[order]: _value(name, kind, text.removeprefix(order))})
    low, dots, high = text.partition("..")
    if dots:
        bounds = (("$gte", low), ("$lte", high))
        return Condition({sign: _value(name, kind, bound) for sign, bound in bounds if bound.strip()})
    sign = "$ne" if text.startswith("!") else "$eq"
    return Condition({sign: _value(name, kind, text.removeprefix("!").removeprefix("="))})


def containing(text: str) -> Condition:
    """Return the condition that a text contains ``text``, in any letter case."""
    return Condition({"$regex": re.escape(text)})


def _text(name: str, given: Any) -> Condition:
    text = _value(name, "text", given)
    negated, text = text.startswith("!"), text.removeprefix("!")
    if text.startswith("="):
        return Condition({"$ne" if negated else "$eq": text[1:]})
    return Condition({"$regex": re.escape(text)}, negated=negated)


def _value(name: str, kind: Kind, given: Any) -> Any:
    try:
        return _READERS[kind](given)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise _wrong(name, kind, given) from error


def _wrong(name: str, kind: Kind, given: Any) -> InvalidError:
    return InvalidError(
        f"filter.{name}: must be {HELP[kind]}, not {str(given)[:80]!r}.", detail={"argument": "filter", "column": name}
    )


def _number(given: Any) -> float | int:
    number = float(given)
    if abs(number) >= 2**63:
        raise OverflowError(given)
    return int(number) if number.is_integer() else number


def _flag(given: Any) -> bool:
    return given if isinstance(given, bool) else WORDS[str(given).strip().lower()]


def _plain_text(given: Any) -> str:
    if not isinstance(given, (str, int, float)) or len(str(given)) > LONGEST:
        raise TypeError(given)
    return str(given)


def time_of(given: Any) -> float:
    """Return the epoch seconds of a time as people write it, see ``HELP``; raises ValueError or OverflowError."""
    text = str(given).strip()
    if text.startswith("-") and text[-1:] in SECONDS:
        return time.time() - float(text[1:-1]) * SECONDS[text[-1]]
    try:
        return _number(given)
    except ValueError:
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()


def _date(given: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(time_of(given), dt.UTC).replace(tzinfo=None)  # as the database's driver answers it


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "number": _number,
    "flag": _flag,
    "time": time_of,
    "date": _date,
    "text": _plain_text,
}


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _holds(sign: str, value: Any, wanted: Any) -> bool:
    if sign == "$ne":
        return wanted not in _parts(value)
    try:
        return any(_TESTS[sign](part, wanted) for part in _parts(value))
    except TypeError:
        return False  # what is not there is neither more nor less
