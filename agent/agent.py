"""The agent as a whole: says hello, asks for jobs, hands them to workers, stops in order."""

from __future__ import annotations

import functools
import hashlib
import logging
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent import credential, inventory
from agent.backoff import Backoff
from agent.cgroup import Groups
from agent.client import Client
from agent.delivery import Delivery
from agent.errors import AgentError, AwayError, RefusedError, RejectedError
from agent.held import Held, Holding, Interruption
from agent.jumpscript import Surroundings
from agent.pool import Pool
from agent.process import WorkerProcess
from agent.protocol import Ask, Assignment, Bye, Enrolled, Hello, JobRef, Nothing, Result, Welcome, Work
from agent.reports import Reports
from agent.runner import Runner
from agent.sample_spool import SampleSpool
from agent.sampler import Sampler
from agent.scripts import ScriptCache
from agent.settings import ONE_WORLD, WORKERS
from agent.spool import Spool
from agent.standing import Standing, alone
from agent.trust import adopt, authority_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import AgentSettings

log = logging.getLogger(__name__)

ANSWER_SLACK: Final = 15.0
"""Seconds beyond the longest park after which an unanswered question counts as lost."""

SHORT_PARK: Final = 2.0
"""Seconds to park while a queue is full: its jobs are to be asked for again soon."""

SUPERSEDED_WAIT: Final = 10.0
"""Seconds that an older attempt at the same job gets to be killed."""

BYE_WAIT: Final = 3.0
"""Seconds that a controller gets to hear a good-bye."""

VERSION: Final = "0.1.0"


class Agent:
    """One agent with its credential."""

    def __init__(self, settings: AgentSettings, enrolled: Enrolled) -> None:
        """Prepare everything; nothing is sent yet."""
        self._settings = settings
        self._enrolled = enrolled
        self._session = secrets.token_hex(8)
        self._client = Client(settings.controllers, enrolled.credential, authority_file(settings.folder))
        self._spool = Spool(settings.folder)
        self._holding = Holding()
        reports = Reports(self._client)
        self._delivery = Delivery(self._client, reports, self._spool, self._holding, self._session)
        scripts = ScriptCache(settings.folder / "scripts", self._client)
        self._runner = Runner(reports, scripts, self._surroundings, self._report)
        groups = Groups(f"portalfw-{hashlib.sha256(bytes(settings.folder.resolve())).hexdigest()[:8]}")
        start = functools.partial(WorkerProcess, folder(settings, "work"), groups)
        self._pool = Pool(self._workers, self._runner, self._holding, start)
        self._standing = Standing(settings.folder, scripts, self._client, self._pool.put, settings.alone_after)
        self._delivery.each_round = self._each_round
        self._samples = SampleSpool(settings.folder)
        self._sampler = Sampler(self._client, self._samples, self._surroundings)
        self._inventory: dict[str, Any] = {"facts": None, "abilities": None}
        self._place = Welcome(node_id=enrolled.node_id, name="", site="", roles=[], status="", lease=60.0)
        self._greeted = False
        self._turn = 0
        self._stopping = threading.Event()
        self._status = 0

    def run(self) -> int:
        """Serve until :meth:`stop`, or until the controller refuses this agent; return the exit status."""
        self._take_inventory("facts")
        threads = [
            threading.Thread(target=target, name=target.__name__.strip("_"), daemon=True) for target in self._work()
        ]
        for thread in threads:
            thread.start()
        self._stopping.wait()
        self._end()
        return self._status

    def _work(self) -> tuple[Callable[[], None], ...]:
        """Return what runs side by side, each in a thread."""
        return (
            self._ask_for_jobs,
            self._delivery.serve,
            self._prove,
            self._sampler.measure,
            self._sampler.deliver,
            self._stand,
        )

    def stop(self, status: int = 0) -> None:
        """Have :meth:`run` end in order. May be called from a signal handler."""
        self._status = max(self._status, status)
        self._stopping.set()

    def _ask_for_jobs(self) -> None:
        backoff = Backoff()
        away = False
        while not self._stopping.is_set():
            try:
                self._ask_once()
                backoff.reset()
                away = False
            except RefusedError as error:
                log.error("The controller refuses this agent: %s", error)  # noqa: TRY400 - the reason is all there is
                self.stop(1)
            except (AwayError, RejectedError) as error:
                if not away:
                    log.warning("No connection: %s", error)
                away, self._greeted = True, False
                if isinstance(error, AwayError):
                    self._standing.away()
                self._stopping.wait(backoff.next())
            except Exception:  # the edge: a fault of our own must not leave a node without its agent
                log.exception("Asking for jobs failed")
                self._stopping.wait(backoff.next())

    def _workers(self, queue: str) -> int:
        """Return how many workers a queue may have on this node."""
        simulated = (self._inventory["abilities"] or {}).get("hypervisor", {}).get("kind") != "qemu"
        return 1 if queue == ONE_WORLD and simulated else WORKERS.get(queue, 1)

    def _ask_once(self) -> None:
        if not self._greeted:
            self._say_hello()
        full = self._pool.full()
        # In hand first: what is reported meanwhile is in the spool before it is out of hand.
        held = [*self._holding.refs(), *self._delivery.refs()]
        self._turn += 1
        ask = Ask(session=self._session, turn=self._turn, held=held, skip=full, free=self._pool.free())
        ask = ask.model_copy(update={"orders": self._standing.name})
        if full:
            ask = ask.model_copy(update={"park": SHORT_PARK})
        work = self._client.get("jobs", Work, ask.query(), timeout=ask.park + ANSWER_SLACK)
        if work.standing is not None:
            self._standing.hear(work.standing, work.orders)
        for cancel in work.cancel:
            self._holding.interrupt(cancel.id, cancel.attempt, Interruption("cancelled", cancel.reason))
        self._end_waiting()
        for assignment in work.jobs:
            self._accept(assignment)

    def _each_round(self) -> None:
        """Do what is to be done every few seconds."""
        self._end_waiting()
        self._pool.bury()

    def _end_waiting(self) -> None:
        """End the jobs that wait for a worker and are cancelled or expired, without waiting for a worker."""
        for held in self._holding.all():
            if (held.interruption is not None or held.waited_too_long) and self._pool.withdraw(held):
                self._runner.refuse(held)
                self._holding.remove(held)

    def _accept(self, assignment: Assignment) -> None:
        if self._spool.done(assignment.ref):
            log.info("job %d attempt %d has been done already", assignment.id, assignment.attempt)
            return
        older = self._holding.of(assignment.id)
        if older is not None:
            older.interrupt(Interruption("gone", f"attempt {assignment.attempt} takes its place"))
            older.finished.wait(SUPERSEDED_WAIT)
        held = Held(assignment)
        self._holding.add(held)
        self._pool.put(held)

    def _say_hello(self) -> None:
        welcome = self._client.post("hello", self._hello(with_jobs=True), Welcome)
        log.info("Connected to %s as node %d (%s)", self._client.url, welcome.node_id, welcome.name)
        self._take_authorities(welcome)
        if welcome.rotate:
            self._rotate()
        self._delivery.lease = welcome.lease
        self._place, self._greeted = welcome, True
        self._delivery.deliver_all()
        self._standing.back(welcome.standing, welcome.orders)

    def _report(self, held: Held, result: Result) -> None:
        """Tell the controller what an attempt came to, or keep it if no controller knows of it."""
        (self._standing.report if alone(held) else self._delivery.report)(held, result)

    def _stand(self) -> None:
        """Keep the standing orders, and run them while no controller is there."""
        self._standing.serve(self._stopping, self._ask_for_orders)

    def _ask_for_orders(self) -> None:
        """Hear of standing orders that have changed since the last hello."""
        if self._greeted:
            message = Hello(session=self._session, boot_id=boot_id(), uptime=uptime(), version=VERSION)
            welcome = self._client.post("hello", message, Welcome)
            self._take_authorities(welcome)
            self._standing.back(welcome.standing, welcome.orders)

    def _take_authorities(self, welcome: Welcome) -> None:
        """Trust the private authorities that the controller tells, if the one that it was trusted by is private."""
        try:
            if adopt(self._client.url, welcome.authorities, self._settings.folder):
                log.info("The controller has told other authorities to trust from now on")
        except (AwayError, OSError) as error:
            log.warning("The authorities that the controller tells are not taken: %s", error)

    def _rotate(self) -> None:
        """Replace the credential; the one before is good until this one is used, so nothing is lost on the way."""
        fresh = self._client.post("credential", Nothing(), Enrolled)
        credential.store(self._settings.folder, fresh)
        self._enrolled, self._client.credential = fresh, fresh.credential
        log.info("This node has a new credential")

    def _hello(self, *, with_jobs: bool) -> Hello:
        return Hello(
            session=self._session,
            boot_id=boot_id(),
            uptime=uptime(),
            version=VERSION,
            holding=[*self._holding.refs(), *self._spool.refs()] if with_jobs else None,
            **self._inventory,
        )

    def _take_inventory(self, what: inventory.What) -> None:
        file = folder(self._settings, "work") / "accelerator.json"
        try:
            self._inventory = inventory.ask(what, self._settings.hypervisor, file)
        except AgentError as error:
            log.error("%s", error)  # noqa: TRY400 - the reason is all there is

    def _prove(self) -> None:
        """Prove the accelerator, then tell the controller: now, or with the next hello."""
        self._take_inventory("proof")
        if not self._greeted:
            return
        try:
            self._client.post("hello", self._hello(with_jobs=False), Welcome)
        except AgentError as error:
            log.info("The proof of the accelerator is told later: %s", error)
            self._greeted = False

    def _surroundings(self) -> Surroundings:
        abilities = self._inventory["abilities"] or {}
        return Surroundings(
            node_id=self._place.node_id,
            site=self._place.site,
            hypervisor=abilities.get("hypervisor", {}).get("uri", ""),
            work=folder(self._settings, "work"),
            run=folder(self._settings, "run"),
            files=folder(self._settings, "files"),
            controller=self._client.url,
            credential=self._enrolled.credential,
            authority=authority_file(self._settings.folder),
        )

    def _end(self) -> None:
        """Let running jobs finish for a moment, kill what is left, report, say good-bye.

        It is said before as well: else what is interrupted here and queued again would be given to this agent at once.
        """
        self._say_bye([*self._holding.refs(), *self._spool.refs()])
        self._pool.stop(self._wait_for_jobs, SUPERSEDED_WAIT)
        self._delivery.stop()
        self._sampler.stop()
        self._say_bye(self._spool.refs())
        self._spool.close()

    def _say_bye(self, holding: list[JobRef]) -> None:
        if self._status == 0:
            try:
                self._client.post("bye", Bye(session=self._session, holding=holding), Nothing, timeout=BYE_WAIT)
            except AgentError as error:
                log.info("No good-bye: %s", error)

    def _wait_for_jobs(self) -> None:
        limit = time.monotonic() + self._settings.grace
        running = [held for held in self._holding.all() if held.running]
        for held in running:
            held.finished.wait(max(0.0, limit - time.monotonic()))
        for held in self._holding.all():
            held.interrupt(Interruption("stopped", "the agent was stopped while the script ran"))


def folder(settings: AgentSettings, name: str) -> Path:
    """Return a folder of the agent's, made if it is missing."""
    path = settings.folder / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def uptime() -> float:
    """Return the seconds since the machine's start: no setting of its clock disturbs their order."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return the kernel's id of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
