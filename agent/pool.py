"""Worker processes by queue: started when first needed, kept warm, replaced when they die."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from agent.settings import FOR_ONE_JOB, WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.held import Held, Holding
    from agent.process import WorkerProcess
    from agent.runner import Runner

log = logging.getLogger(__name__)

BACKLOG: Final = 16
"""Jobs of one queue that may wait on the node; with more, the agent asks for none of that queue."""


class Queue:
    """The waiting jobs of one queue and the threads that run them, each with a worker process of its own."""

    def __init__(
        self, name: str, most: int, runner: Runner, holding: Holding, start: Callable[[str], WorkerProcess]
    ) -> None:
        """Begin with no thread and no process; there will be ``most`` of them at the most."""
        self.name = name
        self._most = most
        self._runner = runner
        self._holding = holding
        self._start = start
        self._changed = threading.Condition()
        self._waiting: deque[Held] = deque()
        self._threads: list[threading.Thread] = []
        self._processes: set[WorkerProcess] = set()
        self._idle = 0
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Number of jobs that wait for a worker."""
        return len(self._waiting)

    @property
    def free(self) -> int:
        """Number of workers that have nothing to do and nothing in sight, started or not."""
        with self._changed:
            return max(0, self._most - len(self._threads) + self._idle - len(self._waiting))

    def put(self, held: Held) -> None:
        """Have a job run when its turn comes."""
        with self._changed:
            priority = held.assignment.priority
            turn = sum(one.assignment.priority >= priority for one in self._waiting)  # they are in order
            self._waiting.insert(turn, held)
            if len(self._waiting) > self._idle and len(self._threads) < self._most:
                name = f"{self.name}-{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
                self._threads[-1].start()
            self._changed.notify()

    def withdraw(self, held: Held) -> bool:
        """Take back a job that waits; False if it does not."""
        with self._changed:
            if held not in self._waiting:
                return False
            self._waiting.remove(held)
            return True

    def bury(self) -> None:
        """Take the exit status of worker processes that have ended between two jobs, which else stay as zombies."""
        for process in list(self._processes):
            if not process.alive:
                log.info("worker %d of the queue %s has ended between two jobs", process.pid, self.name)
                self._processes.discard(process)

    def stop(self) -> None:
        """Let the threads end after the job that they are at."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Wait for the threads, each up to a number of seconds."""
        for thread in self._threads:
            thread.join(timeout)

    def _serve(self) -> None:
        """Be one worker: the process lives and dies with this thread."""
        process: WorkerProcess | None = None

        def worker() -> WorkerProcess:
            nonlocal process
            if process is not None and not process.alive:
                self._close(process)
                process = None
            if process is None:
                process = self._start(self.name)
                self._processes.add(process)
            return process

        while (held := self._next()) is not None:
            try:
                self._runner.run(held, worker)
            except Exception:  # the edge: a fault of the agent's own must not end this worker for good
                log.exception("job %d could not be run", held.assignment.id)
            finally:
                self._holding.remove(held)
            if process is not None and self.name == FOR_ONE_JOB:
                self._close(process)
                process = None
        if process is not None:
            self._close(process)

    def _close(self, process: WorkerProcess) -> None:
        self._processes.discard(process)
        process.close()

    def _next(self) -> Held | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            self._idle -= 1
            return None if self._stopping else self._waiting.popleft()


class Pool:
    """All queues of the node."""

    def __init__(
        self, workers: Callable[[str], int], runner: Runner, holding: Holding, start: Callable[[str], WorkerProcess]
    ) -> None:
        """Begin with no queue; ``workers`` tells how many a queue may have, ``start`` starts one of a queue."""
        self._workers = workers
        self._runner = runner
        self._holding = holding
        self._start = start
        self._queues: dict[str, Queue] = {}

    def put(self, held: Held) -> None:
        """Have a job run in its queue."""
        name = held.assignment.queue
        if name not in self._queues:
            self._queues[name] = Queue(name, self._workers(name), self._runner, self._holding, self._start)
        self._queues[name].put(held)

    def withdraw(self, held: Held) -> bool:
        """Take back a job that waits for a worker; False if it runs or has ended."""
        queue = self._queues.get(held.assignment.queue)
        return queue is not None and queue.withdraw(held)

    def bury(self) -> None:
        """Let no worker that has ended between two jobs stay as a zombie."""
        for queue in list(self._queues.values()):
            queue.bury()

    def full(self) -> list[str]:
        """Name the queues that can take no more."""
        return [queue.name for queue in self._queues.values() if queue.waiting >= BACKLOG]

    def free(self) -> dict[str, int]:
        """Tell how many workers have nothing to do, by queue; those that may have more than one are named always."""
        known = {queue.name: queue.free for queue in list(self._queues.values())}
        return {name: self._workers(name) for name in WORKERS} | known

    def stop(self, finish: Callable[[], None], grace: float) -> None:
        """Stop: running jobs get ``grace`` seconds, then ``finish`` interrupts them and they are reported."""
        queues = list(self._queues.values())
        for queue in queues:
            queue.stop()
        finish()
        for queue in queues:
            queue.join(grace)
