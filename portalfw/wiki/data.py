"""A page's ``data:`` calls: each named, run side by side, each after those whose results it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent

from portalfw.auth.principal import Principal
from portalfw.errors import PortalError
from portalfw.wiki.calling import Caller, Dispatch
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.expressions import Value, compile_value
from portalfw.wiki.words import WordError, read_words


@dataclass(frozen=True)
class DataCall:
    """One entry of ``data:``."""

    name: str
    address: str
    arguments: Value
    line: int


class DataError(Exception):
    """A data call failed; ``cause`` is what it raised."""

    def __init__(self, call: DataCall, cause: PortalError) -> None:
        """Keep both."""
        super().__init__(str(cause))
        self.call = call
        self.cause = cause


@dataclass
class Data:
    """The results of the data calls, and what each depends on."""

    values: dict[str, Any] = field(default_factory=dict)
    depends: dict[str, frozenset[str]] = field(default_factory=dict)

    def topics(self, name: str) -> frozenset[str]:
        """Return what an entry depends on."""
        return self.depends.get(name, frozenset())

    def topics_of(self, names: frozenset[str]) -> frozenset[str]:
        """Return what several variables depend on."""
        return frozenset().union(*(self.topics(name) for name in names))


def read_data(declared: object, line: int, lines: Mapping[str, int]) -> tuple[DataCall, ...]:
    """Return the calls that a front matter declares, in an order in which each finds what it uses.

    :raises PageSyntaxError: if one cannot be understood, or two use each other.
    """
    if declared is None:
        return ()
    if not isinstance(declared, Mapping):
        raise PageSyntaxError("data must be lines of name: app/actor/method argument:value", line)
    calls = [_call(str(name), words, lines.get(f"  {name}", line)) for name, words in declared.items()]
    return tuple(_ordered(calls, line))


def _call(name: str, words: Any, line: int) -> DataCall:
    if isinstance(words, Mapping):
        given = {str(key): value for key, value in words.items() if key != "call"}
        return DataCall(name, str(words.get("call", "")), compile_value(given, line), line)
    try:
        read, _, _ = read_words(str(words))
    except WordError as error:
        raise PageSyntaxError(f"data {name}: {error}", line) from error
    if not read or read[0].key or any(not word.key for word in read[1:]):
        raise PageSyntaxError(f"data {name} must be app/actor/method argument:value …, not {str(words)[:80]!r}", line)
    return DataCall(name, read[0].value, compile_value({word.key: word.value for word in read[1:]}, line), line)


def _ordered(calls: list[DataCall], line: int) -> list[DataCall]:
    waiting, done = list(calls), list[DataCall]()
    while waiting:
        names = {call.name for call in waiting}
        free = [call for call in waiting if not (call.arguments.names & names)]
        if not free:
            raise PageSyntaxError(f"the data entries {', '.join(sorted(names))} use each other", line)
        done += free
        waiting = [call for call in waiting if call not in free]
    return done


def fetch(calls: tuple[DataCall, ...], params: Mapping[str, Any], dispatcher: Dispatch, principal: Principal) -> Data:
    """Run the calls and return their results.

    :raises DataError: the first that failed, in the order of the page.
    """
    data = Data()
    waiting = list(calls)
    while waiting:
        names = {call.name for call in waiting}
        free = [call for call in waiting if not (call.arguments.names & names)]
        _fetch_together(free, {**params, **data.values}, dispatcher, principal, data)
        waiting = [call for call in waiting if call not in free]
    return data


def _fetch_together(
    calls: list[DataCall], values: Mapping[str, Any], dispatcher: Dispatch, principal: Principal, data: Data
) -> None:
    if len(calls) == 1:
        answers = [_answer(calls[0], values, dispatcher, principal)]
    else:
        running = [gevent.spawn(_answer, call, values, dispatcher, principal) for call in calls]
        gevent.joinall(running)
        answers = [one.get() for one in running]
    for call, answer in zip(calls, answers, strict=True):
        if isinstance(answer, PortalError):
            raise DataError(call, answer)
        data.values[call.name], topics = answer
        data.depends[call.name] = topics | data.topics_of(call.arguments.names)


def _answer(
    call: DataCall, values: Mapping[str, Any], dispatcher: Dispatch, principal: Principal
) -> tuple[Any, frozenset[str]] | PortalError:
    caller = Caller(dispatcher, principal)
    try:
        answer = caller.call(call.address, call.arguments.run(values))
    except PortalError as error:  # brought back out of the greenlet, so that gevent does not print it
        return error
    return answer, frozenset(caller.topics)
