"""Running the health checks of the platform, and the state of the whole, nodes included."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import gevent

from portalfw.errors import NotFoundError
from portalfw.extension import Duty
from portalfw.health import mutes, results
from portalfw.health.findings import Finding, HealthCheck, Judge, State, worst
from portalfw.health.node_checks import NodeChecks
from portalfw.health.results import Message

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

LIMIT: Final = 20.0  # seconds that a check may take
TEND: Final = 15.0  # seconds between looks for checks of nodes that did not report
FRESH: Final = 2.0  # seconds for which a process remembers the overall state


@dataclass(frozen=True)
class Overall:
    """The state of everything that was checked, and how many findings are in each state."""

    state: Literal["OK", "WARNING", "ERROR"]
    counts: dict[State, int]
    muted: int = 0

    @property
    def troubles(self) -> int:
        """How many findings need somebody."""
        return sum(count for state, count in self.counts.items() if state in {"WARNING", "ERROR", "MISSED"})


class Health:
    """The health checks that a process knows; ``nodes`` are those that run on nodes."""

    def __init__(self, runtime: Runtime, checks: Sequence[HealthCheck], judges: Mapping[str, Judge]) -> None:
        """Take the checks of the platform and of the content, and judges of nodes' checks; nothing runs yet."""
        self._runtime = runtime
        self.checks = {check.name: check for check in checks}
        self.nodes = NodeChecks(runtime, judges)
        self.started = time.time()
        self._overall: tuple[float, Overall] | None = None

    def duties(self) -> list[Duty]:
        """Return the checks as what one process of the installation does again and again."""
        own = [Duty(f"health.{name}", check.every, partial(self._duty, name)) for name, check in self.checks.items()]
        return [*own, Duty("health.nodes", TEND, lambda _: self.nodes.tend())]

    def run(self, name: str) -> list[Finding]:
        """Run one check now, keep what it finds, and return it; a check that fails or hangs is an ERROR itself.

        :raises NotFoundError: if there is none of this name.
        """
        findings, failure = self._run(self._find(name))
        del failure
        return findings

    def messages(self) -> list[Message]:
        """Return what the platform's checks last found, then those of nodes."""
        return [*self.platform(), *self.nodes.messages()]

    def platform(self) -> list[Message]:
        """Return what the platform's own checks last found."""
        return results.messages(list(self.checks))

    def troubled(self) -> list[Message]:
        """Return what the platform's checks last found, and those checks of nodes of which something is not well."""
        return [*self.platform(), *self.nodes.troubled()]

    def unwell(self) -> list[Message]:
        """Return what was last found that is not well, and what else checks of nodes found that are not well."""
        return [*results.unwell(list(self.checks))[0], *self.nodes.troubled()]

    def overall(self, *, fresh: bool = False) -> Overall:
        """Return the state of the whole, at most two seconds old unless it is to be ``fresh``. Muted does not count."""
        if fresh or self._overall is None or time.monotonic() - self._overall[0] > FRESH:
            known = mutes.muted()
            found, well = results.unwell(list(self.checks))
            counts = Counter(one.state for one in [*found, *self.nodes.troubled()] if one.id not in known)
            counts.update(well)
            counts.update(self.nodes.well())
            state = worst(one for one in counts if counts[one])
            self._overall = time.monotonic(), Overall(state, dict(counts), len(known))
        return self._overall[1]

    def _duty(self, name: str, _runtime: Runtime) -> None:
        """Run a check; the duties' edge keeps a failure as an error condition."""
        _, failure = self._run(self._find(name))
        if failure is not None:
            raise failure

    def _run(self, check: HealthCheck) -> tuple[list[Finding], Exception | None]:
        began, failure = time.monotonic(), None
        try:
            with gevent.Timeout(LIMIT, TimeoutError(f"it took longer than {LIMIT:.0f} s")):
                findings = list(check.function(self._runtime))
        except Exception as error:  # noqa: BLE001 - the edge: a check that fails is an ERROR, and recorded by who asked
            failure = error
            findings = [Finding("execution_failed", "ERROR", f"The check failed: {type(error).__name__}: {error}")]
        results.store(check, findings, time.monotonic() - began)
        self._overall = None
        return findings, failure

    def _find(self, name: str) -> HealthCheck:
        found = self.checks.get(name)
        if found is None:
            raise NotFoundError(f"There is no health check {name}; there are {', '.join(sorted(self.checks))}.")
        return found
