"""Runs the macros of a page side by side, each with a deadline; what fails becomes a box in its place."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import gevent
from gevent import Greenlet
from markupsafe import Markup

from portalfw import errorconditions
from portalfw.errors import PortalError
from portalfw.rest.dispatch import InternalError
from portalfw.wiki.block import Block
from portalfw.wiki.context import MacroContext, Place
from portalfw.wiki.errors import MacroArgumentError, MacroDeadlineError, MacroError, MacroNotFoundError
from portalfw.wiki.kept import KeptBlocks
from portalfw.wiki.late import LateCalls
from portalfw.wiki.macro import Macros
from portalfw.wiki.record import PlacedCall
from portalfw.wiki.settings import Limits
from portalfw.wiki.templates import Templates

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fault:
    """Why a macro has nothing to show."""

    macro: str
    message: str
    page: str
    line: int
    id: str


class Runner:
    """Runs macro calls."""

    def __init__(self, macros: Macros, templates: Templates, deadline: float, limits: Limits, kept: KeptBlocks) -> None:
        """Let pages wait ``deadline`` seconds for a macro; one that takes longer fills in late."""
        self.macros = macros
        self.templates = templates
        self.deadline = deadline
        self._patience = max(deadline, limits.late_seconds)
        self._kept = kept
        self._late = LateCalls(limits.late_calls, self._patience)

    def run(self, calls: Sequence[PlacedCall], place: Place) -> list[Block]:
        """Run the calls of a page side by side and return their blocks in order; of the slow ones, placeholders."""
        wait = self._patience if place.patient else self.deadline
        running = [gevent.spawn(self._safely, call, place) for call in calls]
        gevent.joinall(running, timeout=wait)
        return [self._block(call, one, place, wait) for call, one in zip(calls, running, strict=True)]

    def run_alone(self, call: PlacedCall, place: Place) -> Block:
        """Run one call that the browser asks for by itself, and wait for it longer than a page would."""
        running = (self._late.take(call, place) if place.late else None) or gevent.spawn(self._safely, call, place)
        running.join(self._patience)
        return self._block(call, running, replace(place, patient=True), self._patience)

    def _block(self, call: PlacedCall, running: Greenlet[..., Block], place: Place, waited: float) -> Block:
        if running.value is not None:
            return running.value
        if place.depth or place.patient:  # nobody can ask for it alone, or somebody just did
            running.kill(block=False)
            return self._box(call, place, MacroDeadlineError(f"no answer within {waited:g} s"), frozenset())
        self._late.keep(call, place, running)
        waiting = self.templates.render("late.html", {"name": call.call.name, "text": None})
        return Block(Markup(waiting), late=True)  # noqa: S704 - autoescaped

    def _safely(self, call: PlacedCall, place: Place) -> Block:
        context = MacroContext(place, call.key, self.templates)
        context.watch(*place.data.topics_of(call.reads))
        try:
            return self._answer(call, context)
        except Exception as error:  # noqa: BLE001 - the edge: one macro must never spoil the page; recorded with an id
            return self._box(call, place, error, context.topics)

    def _answer(self, call: PlacedCall, context: MacroContext) -> Block:
        if call.call.problem:
            raise MacroArgumentError(call.call.problem)
        macro = self.macros.find(call.call.name)
        arguments = macro.bind(call.named, call.positional, call.body)
        block = self._kept.answer(macro, context, arguments)
        if not isinstance(block, Block):
            raise MacroError(f"it returned {type(block).__name__} instead of a Block")
        return replace(block, topics=block.topics | context.topics)

    def _box(self, call: PlacedCall, place: Place, error: Exception, topics: frozenset[str]) -> Block:
        known = error.occurrence if isinstance(error, InternalError) else ""
        number = known or f"e-{secrets.token_hex(4)}"
        fault = Fault(call.call.name, str(error)[:300], place.page.name, call.call.line, number)
        expected = isinstance(error, PortalError)
        where = f"{place.page.space}/{fault.page} line {fault.line}"
        log.log(
            logging.INFO if expected else logging.ERROR,
            "%s: macro %s on %s for %s: %s",
            fault.id, fault.macro, where, place.principal.name, error,
            exc_info=None if expected else error,
        )  # fmt: skip
        if not expected:
            errorconditions.record("macro", f"{fault.macro} on {where}", error, fault.id, place.principal.name)
        meaning = _meaning(error)
        values = {"name": fault.macro, "text": meaning, "source": call.call.source, **vars(fault)}
        return Block(Markup(self.templates.render("error.html", values)), topics)  # noqa: S704 - autoescaped


def _meaning(error: Exception) -> str:
    if isinstance(error, (MacroArgumentError, MacroNotFoundError)):
        return "The call in the page's source has to be corrected. The rest of the page is fine."
    if isinstance(error, MacroDeadlineError):
        return "What it asks is slow or away. The rest of the page is fine."
    if isinstance(error, PortalError):
        return "The rest of the page is fine."
    return "This was not foreseen; the log has it under the error id. The rest of the page is fine."
