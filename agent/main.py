"""Start and end of an agent process."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING, Final

from agent import credential
from agent.agent import Agent
from agent.backoff import Backoff
from agent.client import Client
from agent.errors import AgentError, AwayError, RejectedError, SettingsError
from agent.protocol import Enroll, Enrolled
from agent.worker import PR_SET_PDEATHSIG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from agent.settings import AgentSettings

log = logging.getLogger(__name__)

PATIENCE: Final = 30
"""Tries to reach the controller for the enrolment, about ten minutes."""


def run(settings: AgentSettings) -> int:
    """Run an agent until SIGTERM or SIGINT; return the exit status.

    0 after a clean stop, 1 when it cannot start or the controller refuses it; the reason is logged in one line.
    """
    try:
        with alone(settings):
            return serve(Agent(settings, enrolled(settings)))
    except AgentError as error:
        log.error("%s", error)  # noqa: TRY400 - the reason is all there is
        return 1


def serve(agent: Agent) -> int:
    """Run the agent with the signals that stop it."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        agent.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return agent.run()


def enrolled(settings: AgentSettings) -> Enrolled:
    """Return the node's credential, got with the join token if there is none yet.

    Raises:
        AgentError: there is neither, or the controller refuses the token or cannot be reached.

    """
    found = credential.load(settings.folder)
    if found is None:
        if not settings.join_token:
            raise SettingsError("this node has no credential yet; start the agent with a join token")
        found = enroll(settings, settings.join_token)
        credential.store(settings.folder, found)
        log.info("Enrolled as node %d", found.node_id)
    return found


def enroll(settings: AgentSettings, token: str) -> Enrolled:
    """Trade the join token for a credential, waiting for a controller that is away."""
    client = Client(settings.controllers)
    backoff = Backoff()
    message = Enroll(token=token, name=socket.gethostname(), roles=list(settings.roles))
    for left in reversed(range(PATIENCE)):
        try:
            return client.post("enroll", message, Enrolled)
        except RejectedError as error:
            raise SettingsError(f"enrolment failed: {error}") from error
        except AwayError as error:
            if not left:
                raise
            log.warning("%s", error)
            signal.sigtimedwait([signal.SIGTERM, signal.SIGINT], backoff.next())
    raise SettingsError("enrolment was not tried")


@contextlib.contextmanager
def alone(settings: AgentSettings) -> Iterator[None]:
    """Hold the folder's lock: two agents with one credential would take each other's jobs.

    Raises:
        SettingsError: another agent runs in this folder, or it cannot be written.

    """
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(settings.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"the agent's folder {settings.folder} cannot be used: {error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SettingsError(f"another agent runs in {settings.folder}") from error
    finally:
        os.close(handle)


def die_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when the one that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
