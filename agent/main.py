"""Start and end of an agent process."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from agent import credential
from agent.agent import Agent
from agent.backoff import Backoff
from agent.client import Client
from agent.errors import AgentError, AwayError, RejectedError, SettingsError, UntrustedError
from agent.protocol import Enroll, Enrolled
from agent.trust import authority_file, is_pinned, split_token, trust_by_pin
from agent.worker import PR_SET_PDEATHSIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from agent.settings import AgentSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

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
        token, pin = split_token(join_token(settings))
        trust(settings, settings.ca_pin or pin)
        found = enroll(settings, token)
        credential.store(settings.folder, found)
        log.info("Enrolled as node %d", found.node_id)
    else:
        trust(settings, settings.ca_pin)
    if settings.join_token_file is not None:
        settings.join_token_file.unlink(missing_ok=True)
    return found


def join_token(settings: AgentSettings) -> str:
    """Return the join token that was given, or that lies in a file; raises SettingsError."""
    file = settings.join_token_file
    try:
        found = settings.join_token or (file.read_text(encoding="ascii").strip() if file and file.exists() else "")
    except (OSError, ValueError) as error:
        raise SettingsError(f"the join token in {file} cannot be read: {error}") from error
    if not found:
        raise SettingsError("this node has no credential yet; start the agent with a join token")
    return found


def trust(settings: AgentSettings, pin: str | None) -> None:
    """Trust the private authority with this pin from now on, if one is given and a controller speaks TLS."""
    secure = [url for url in settings.controllers if urlsplit(url).scheme == "https"]
    if pin and secure and not is_pinned(settings.folder, pin):
        turns = itertools.cycle(secure)
        patiently(lambda: trust_by_pin(next(turns), pin, settings.folder))
        log.info("From now on this node trusts only the authority with the pin %s", pin)


def enroll(settings: AgentSettings, token: str) -> Enrolled:
    """Trade the join token for a credential, waiting for a controller that is away."""
    client = Client(settings.controllers, authority=authority_file(settings.folder))
    wanted = credential.proposed(settings.folder, token)
    message = Enroll(token=token, name=socket.gethostname(), roles=list(settings.roles), credential=wanted)
    try:
        return patiently(lambda: client.post("enroll", message, Enrolled))
    except RejectedError as error:
        raise SettingsError(f"enrolment failed: {error}") from error


def patiently(ask: Callable[[], T]) -> T:
    """Ask a controller until it answers; one that cannot be trusted is not asked again."""
    backoff = Backoff()
    for left in reversed(range(PATIENCE)):
        try:
            return ask()
        except UntrustedError:
            raise
        except AwayError as error:
            if not left:
                raise
            log.warning("%s", error)
            signal.sigtimedwait([signal.SIGTERM, signal.SIGINT], backoff.next())
    raise SettingsError("the controller was not asked")


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
