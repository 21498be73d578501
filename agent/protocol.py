"""The messages between agent and Agent Controller, and the states of a job.

Both sides import this module and nothing else of each other. Everything travels as JSON over HTTP; times are epoch
seconds (UTC) as floats, durations are seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

PROTOCOL: Final = 2
"""Version of these messages. A controller refuses a hello of another version."""

PARK: Final = 55.0
"""Longest time in seconds that a question for jobs is left unanswered: below the 60 s of common proxies."""

TUNNELS: Final = "/agent/tunnels/"
"""Address, before its id, at which a node offers a WebSocket to who waits in the portal for a tunnel."""

MISDIRECTED: Final = 421
"""HTTP status (RFC 9110, 15.5.20) of an offer that met another process than the one that waits: to be made again."""


class JobState(StrEnum):
    """Where a job is: QUEUED, LEASED, RUNNING, then one of the end states, always with a reason."""

    QUEUED = "QUEUED"
    LEASED = "LEASED"
    RUNNING = "RUNNING"
    OK = "OK"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"
    LOST = "LOST"
    EXPIRED = "EXPIRED"

    @property
    def ended(self) -> bool:
        """True when nothing more will happen to the job."""
        return self in ENDED


HELD: Final = frozenset({JobState.LEASED, JobState.RUNNING})
"""States of a job that an agent has in its hands."""

ENDED: Final = frozenset(JobState) - HELD - {JobState.QUEUED}
"""States that a job never leaves."""


class Message(BaseModel):
    """Base of all messages: immutable; unknown fields of a newer peer are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Nothing(Message):
    """An answer that says only that it was done."""


class JobRef(Message):
    """One attempt at one job."""

    id: int
    attempt: int


class Line(Message):
    """One line of a job's output. Levels: debug info warning error, stdout and stderr for what was printed."""

    at: float
    level: str
    text: str


class Progress(Message):
    """How far a job is."""

    percent: float = Field(ge=0, le=100)
    text: str = ""


class Enroll(Message):
    """A new node asks to come in with a one-time join token.

    ``credential`` is what it shall have: who asks again with the same, because the answer was cut on its way, gets the
    same answer. Without one the controller makes it, and a second asking is refused.
    """

    protocol: int = PROTOCOL
    token: str
    credential: str = Field("", pattern=r"^(node_[A-Za-z0-9_-]{43})?$")
    name: str = Field(min_length=1, max_length=255)
    roles: list[str] = []


class Enrolled(Message):
    """The node's number and its own credential, told this once."""

    node_id: int
    credential: str


class Hello(Message):
    """An agent is (again) there.

    ``session`` is random and new with each agent process, ``boot_id`` is the kernel's. ``holding`` names every attempt
    that the agent has in its hands or in its spool: whatever the controller had given it beyond that is gone. None
    leaves that question aside (the agent only has news of its facts). ``facts`` and ``abilities`` None mean unchanged.
    ``uptime`` is the node's, in seconds, when this was said: an older hello that was held up on its way is refused.
    """

    protocol: int = PROTOCOL
    session: str
    boot_id: str
    uptime: float = 0.0
    version: str = ""
    facts: dict[str, Any] | None = None
    abilities: dict[str, Any] | None = None
    holding: list[JobRef] | None = None


class Limits(Message):
    """What a script may use: MiB of memory and seconds of processor time, None for what is usual in its queue.

    With ``daemons``, what it starts may outlive it; else that is ended with it.
    """

    memory: int | None = None
    cpu: float | None = None
    daemons: bool = False


class StandingOrder(Message):
    """A script that the agent runs by itself every so many seconds while it reaches no controller."""

    schedule: int
    every: float = Field(ge=1)
    script: str
    sha256: str
    args: dict[str, Any]
    queue: str
    timeout: float
    limits: Limits = Limits()


class Welcome(Message):
    """What an agent must know of its place: number, name, site prefix, lease and longest park in seconds.

    With ``rotate`` it is to fetch a new credential (``POST /agent/credential``) and to use that from then on.
    ``standing`` is what it is to run while no controller can be reached; ``orders`` names just these, to be said in
    each question. ``authorities`` are the certificates (PEM) of the private authorities to trust from now on, for a
    node that trusts a private one; empty changes nothing.
    """

    node_id: int
    name: str
    site: str
    roles: list[str]
    status: str
    lease: float
    park: float = PARK
    rotate: bool = False
    standing: list[StandingOrder] = []
    orders: str = ""
    authorities: str = ""


class Bye(Message):
    """An agent stops; ``holding`` are results that it still has to deliver when it comes back."""

    session: str
    holding: list[JobRef] = []


class Ask(Message):
    """The query of ``GET /agent/jobs``: lists are comma-separated, an attempt is ``<id>.<attempt>``.

    ``orders`` names the standing orders that the agent knows; if it has others now, it is told them at once.
    ``turn`` counts an agent's questions: one that comes after a newer one was held up on its way, and is refused.
    ``held`` names every attempt in hand, in the spool too. ``free`` tells how many workers of a queue have nothing to
    do (``<queue>.<number>``): so many idempotent jobs are given as begun, which spares the question whether they may.
    """

    session: str
    turn: int = 0
    orders: str = ""
    held: list[JobRef] = []
    skip: list[str] = []
    free: dict[str, int] = {}
    limit: int = Field(default=16, ge=1, le=64)
    park: float = Field(default=PARK, ge=0, le=PARK)

    def query(self) -> dict[str, str]:
        """Return this question as a query string's fields."""
        return {
            "session": self.session,
            "turn": str(self.turn),
            "orders": self.orders,
            "held": ",".join(f"{ref.id}.{ref.attempt}" for ref in self.held),
            "skip": ",".join(self.skip),
            "free": ",".join(f"{queue}.{number}" for queue, number in self.free.items()),
            "limit": str(self.limit),
            "park": f"{self.park:g}",
        }

    @classmethod
    def from_query(cls, query: dict[str, str]) -> Ask:
        """Read a query string's fields; raises pydantic's ValidationError."""
        held, skip, free = (query.get(name, "").split(",") for name in ("held", "skip", "free"))
        pairs = [item.partition(".") for item in held if item]
        numbers = [item.rpartition(".") for item in free if item]
        fields: dict[str, Any] = {
            **query,
            "held": [{"id": job, "attempt": attempt} for job, _, attempt in pairs],
            "skip": [name for name in skip if name],
            "free": {queue: number for queue, _, number in numbers},
        }
        return cls.model_validate(fields)


class Assignment(Message):
    """A job to run: script by name and hash, arguments, limits.

    ``timeout`` counts from the start of the script; ``expires_in`` is how long it may still wait for a free worker,
    behind those of the same queue that have the same ``priority`` or a higher one. One that is given as ``begun`` may
    be started without asking.
    """

    id: int
    attempt: int
    script: str
    sha256: str
    args: dict[str, Any]
    queue: str
    timeout: float
    idempotent: bool
    expires_in: float
    priority: int = 0
    limits: Limits = Limits()
    begun: bool = False

    @property
    def ref(self) -> JobRef:
        """This attempt's name."""
        return JobRef(id=self.id, attempt=self.attempt)


class Cancel(Message):
    """An attempt that is to be ended, and why."""

    id: int
    attempt: int
    reason: str


class Work(Message):
    """Answer to a question for jobs: new ones, and running ones to be ended; or other ``standing`` orders, by name."""

    jobs: list[Assignment] = []
    cancel: list[Cancel] = []
    standing: list[StandingOrder] | None = None
    orders: str = ""


class Renew(Message):
    """The agent still works on these."""

    session: str
    jobs: list[JobRef]


class Renewed(Message):
    """``gone`` attempts are no longer the agent's: to be killed and forgotten."""

    cancel: list[Cancel] = []
    gone: list[JobRef] = []


class Output(Message):
    """Lines of a running attempt; ``offset`` is the number of the first one, so sending twice does no harm."""

    attempt: int
    offset: int = Field(default=0, ge=0)
    lines: list[Line] = []
    progress: Progress | None = None


class Received(Message):
    """The number of the line that is expected next."""

    next: int


class Result(Message):
    """How an attempt ended, with the lines of output that were not sent before.

    LOST means that the agent stopped before the script ended: the controller requeues it if it is idempotent.
    """

    attempt: int
    state: Literal["OK", "ERROR", "TIMEOUT", "CANCELLED", "LOST", "EXPIRED"]
    reason: str
    result: Any = None
    traceback: str = ""
    started: float | None = None
    ended: float
    offset: int = Field(default=0, ge=0)
    lines: list[Line] = []

    @property
    def seconds(self) -> float | None:
        """How long the script ran; None if it never began."""
        return None if self.started is None else max(0.0, self.ended - self.started)


class Alone(Message):
    """What a standing order came to while no controller was there; by its ``key``, sending twice does no harm."""

    key: str = Field(min_length=8, max_length=64)
    schedule: int
    sha256: str
    result: Result


class Ended(Message):
    """A job that has ended at the agent."""

    id: int
    result: Result

    @property
    def ref(self) -> JobRef:
        """The attempt that has ended."""
        return JobRef(id=self.id, attempt=self.result.attempt)


class Report(Message):
    """What an agent has to say of its jobs: attempts that it is about to start, and attempts that have ended."""

    starts: list[JobRef] = Field(default=[], max_length=1000)
    ends: list[Ended] = Field(default=[], max_length=1000)


class Said(Message):
    """The controller's word on one thing of a report.

    With ``ok`` an attempt may start, and a result was taken in. Otherwise ``message`` says why not; no words mean that
    the job had ended before. What is to be told ``again`` could only not be taken in now.
    """

    ok: bool = True
    again: bool = False
    message: str = ""


class Reported(Message):
    """What the controller says to each thing of a report, in its order."""

    starts: list[Said] = []
    ends: list[Said] = []


class Confirmed(Message):
    """The controller has the result; ``accepted`` is False if it had it before."""

    accepted: bool


NAME: Final = r"^[a-z][a-z0-9_]{2,39}$"
"""What kinds of things and their figures may be called; shorter names are the store's own."""

EVERY: Final = 10
"""Seconds from one sample to the next; samples are taken at whole multiples of it."""

BATCH: Final = 30
"""Most samples in one message: five minutes, what one figure of the next coarser store is made of."""


class Figures(Message):
    """Figures of one thing of a node: a disk by its name, a guest by that of its domain, the node itself by nothing."""

    kind: str = Field(pattern=NAME)
    key: str = Field(default="", max_length=200)
    values: dict[Annotated[str, Field(pattern=NAME)], FiniteFloat] = Field(max_length=64)


class Sample(Message):
    """What a node measured at one time; ``at`` is a multiple of :data:`EVERY`."""

    number: int = Field(ge=0)
    at: int = Field(ge=0)
    figures: list[Figures] = Field(max_length=4000)


class Samples(Message):
    """Some consecutive samples; ``spool`` and a sample's number name it, so that sending twice does no harm."""

    spool: str = Field(max_length=64)
    samples: list[Sample] = Field(max_length=BATCH)


class Counted(Message):
    """The controller has all samples up to this number."""

    upto: int
