"""What an agent tells of its jobs' starts and ends: what comes up while one report is under way makes up the next."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

import requests

from agent.errors import AgentError, FailingError, RejectedError
from agent.protocol import Ended, JobRef, Report, Reported, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.client import Client

log = logging.getLogger(__name__)

MOST: Final = 50
"""Things in one report."""


class Reports:
    """Tells the controller; may be used from several threads.

    Nobody waits for others to come: alone, one is told at once. Who comes first sends, the others wait for that and
    are told together by one of them.
    """

    def __init__(self, client: Client) -> None:
        """Tell the controllers that this client speaks with."""
        self._client = client
        self._lock = threading.Lock()
        self._waiting: list[_Word] = []
        self._sending = False

    def start(self, ref: JobRef) -> None:
        """Tell that an attempt is about to start.

        Raises:
            RejectedError: it must not be started.
            AwayError, FailingError, RefusedError: nobody has said that it may be.

        """
        self._tell(ref).taken()

    def end(self, ended: Ended) -> bool:
        """Tell how an attempt ended; False if its job had ended before.

        Raises:
            RejectedError: the controller does not want it, now or later.
            AwayError, FailingError, RefusedError: it is to be told again.

        """
        return self._tell(ended).taken()

    def end_all(self, ended: Sequence[Ended]) -> Iterator[tuple[Ended, Callable[[], bool]]]:
        """Tell how many attempts ended; give each with what answers for it, or raises as :meth:`end` does."""
        for begin in range(0, len(ended), MOST):
            words = [_Word(one) for one in ended[begin : begin + MOST]]
            self._answer(words)
            for one, word in zip(ended[begin:], words, strict=False):
                yield one, word.taken

    def _tell(self, what: JobRef | Ended) -> _Word:
        word = _Word(what)
        with self._lock:
            self._waiting.append(word)
            if not self._sending:
                self._sending = word.leads = True
        if not word.leads:
            word.turn.wait()
        if word.leads:
            self._send()
        return word

    def _send(self) -> None:
        """Send what waits, and let one of those who came meanwhile go on."""
        with self._lock:
            words, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._answer(words)
        finally:
            with self._lock:
                self._sending = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].turn.set()

    def _answer(self, words: Sequence[_Word]) -> None:
        """Give each of them the controller's word, or the error that there was."""
        try:
            for word, said in zip(words, self._report(words), strict=True):
                word.said = said
        except RejectedError as error:
            # One of them may be more than the controller takes at once.
            if len(words) == 1:
                words[0].error = error
            else:
                for word in words:
                    self._answer([word])
                return
        except AgentError as error:
            for word in words:
                word.error = error
        except Exception as error:  # the edge: those who wait must be told
            for word in words:
                word.error = FailingError(f"the report failed: {error!r}")
            log.exception("A report of jobs failed")
        for word in words:
            word.turn.set()

    def _report(self, words: Sequence[_Word]) -> list[Said]:
        starts = [word.what for word in words if isinstance(word.what, JobRef)]
        ends = [word.what for word in words if isinstance(word.what, Ended)]
        answer = self._client.post("report", Report(starts=starts, ends=ends), Reported)
        if (len(answer.starts), len(answer.ends)) != (len(starts), len(ends)):
            raise FailingError("the controller has answered another report")
        begun, ended = iter(answer.starts), iter(answer.ends)
        return [next(begun if isinstance(word.what, JobRef) else ended) for word in words]


class _Word:
    """One thing to tell, and what became of that."""

    def __init__(self, what: JobRef | Ended) -> None:
        self.what = what
        self.leads = False
        self.turn = threading.Event()
        self.said = Said(ok=False, again=True, message="it has not been told")
        self.error: AgentError | None = None

    def taken(self) -> bool:
        """Tell whether it was taken; False if its job had ended before. Raises what hinders it."""
        if self.error is not None:
            raise self.error
        if self.said.again:
            raise FailingError(self.said.message)
        if self.said.message:
            raise RejectedError(self.said.message, status=requests.codes.conflict, code="conflict")
        return self.said.ok
