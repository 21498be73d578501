"""Runs the macros of a page side by side, each with a deadline; what fails becomes a box in its place."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import gevent
from markupsafe import Markup

from portalfw import errorconditions
from portalfw.errors import PortalError
from portalfw.rest.dispatch import InternalError
from portalfw.wiki.block import Block
from portalfw.wiki.context import MacroContext, Place
from portalfw.wiki.errors import MacroArgumentError, MacroDeadlineError, MacroError, MacroNotFoundError
from portalfw.wiki.macro import Macros
from portalfw.wiki.record import PlacedCall
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

    def __init__(self, macros: Macros, templates: Templates, deadline: float) -> None:
        """Give every macro ``deadline`` seconds."""
        self.macros = macros
        self.templates = templates
        self.deadline = deadline

    def run(self, calls: Sequence[PlacedCall], place: Place) -> list[Block]:
        """Run the calls side by side and return their blocks in order."""
        running = [gevent.spawn(self._safely, call, place) for call in calls]
        gevent.joinall(running, timeout=self.deadline)
        blocks: list[Block] = []
        for call, one in zip(calls, running, strict=True):
            if one.value is not None:
                blocks.append(one.value)
            else:
                one.kill(block=False)
                error = MacroDeadlineError(f"no answer within {self.deadline:g} s")
                blocks.append(self._box(call, place, error, frozenset()))
        return blocks

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
        block = macro.function(context, **arguments)
        if not isinstance(block, Block):
            raise MacroError(f"it returned {type(block).__name__} instead of a Block")
        return Block(block.html, block.topics | context.topics)

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
