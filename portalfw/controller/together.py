"""Questions to the database that many greenlets ask at the same time, put as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import gevent
from gevent.event import AsyncResult

Q = TypeVar("Q")
A = TypeVar("A")

MOST: Final = 250
"""Questions that are put together: about what the hub can spare at a time."""

AT_ONCE: Final = 4
"""Batches that are under way at the same time: so the database works on one while the hub deals with another."""

ENOUGH: Final = 25
"""Questions that wait before a further batch is begun beside others: small ones cost more than they gain."""


class Together(Generic[Q, A]):
    """Answers questions in batches: what comes while one is under way makes up the next, or, if much, one beside it.

    Nobody waits for others to come: alone, a question is put at once. A batch is drawn after its questions were asked,
    so an answer is never older than its question. Batches may end in another order than they began.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A | Exception]]) -> None:
        """Answer by ``answer``, which returns for each question its answer or the error to raise.

        If it raises, that is everyone's answer.
        """
        self._answer = answer
        self._waiting: list[tuple[Q, AsyncResult[Any]]] = []
        self._serving = 0

    def __call__(self, question: Q) -> A:
        """Return the answer to a question, or raise its error."""
        found: Any = self._put(question).get()
        return found  # type: ignore[no-any-return]

    def all(self, questions: Sequence[Q]) -> list[A | Exception]:
        """Return the answers to several questions, each its answer or its error."""
        waiting = [self._put(question) for question in questions]
        return [_outcome(answer) for answer in waiting]

    def _put(self, question: Q) -> AsyncResult[Any]:
        answer: AsyncResult[Any] = AsyncResult()
        self._waiting.append((question, answer))
        if not self._serving or (self._serving < AT_ONCE and len(self._waiting) >= ENOUGH):
            self._serving += 1
            gevent.spawn(self._serve)
        return answer

    def _serve(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                answers = self._answers([question for question, _ in batch])
                for (_, waiting), answer in zip(batch, answers, strict=True):
                    if isinstance(answer, Exception):
                        waiting.set_exception(answer)
                    else:
                        waiting.set(answer)
        finally:
            self._serving -= 1

    def _answers(self, questions: list[Q]) -> Sequence[A | Exception]:
        try:
            return self._answer(questions)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who asked raise it
            return [error] * len(questions)


def _outcome(answer: AsyncResult[Any]) -> Any:
    answer.wait()
    return answer.value if answer.exception is None else answer.exception
