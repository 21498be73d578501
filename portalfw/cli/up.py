"""Run the product in the foreground: start its parts in order, say when it is ready, stop them in the reverse order."""

from __future__ import annotations

import contextlib
import gc
import logging
import logging.handlers
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import gevent
from gevent.event import Event

from portalfw.cli.local_agent import LocalAgent
from portalfw.cli.state import StateFolder
from portalfw.errors import StartError
from portalfw.hub_watch import HubWatch
from portalfw.runtime import Runtime
from portalfw.settings import Settings
from portalfw.store import Mongod, connect, disconnect
from portalfw.web.app import Portal, create_app
from portalfw.web.server import Server, agents_only, listen
from portalfw.web.short import Short
from portalfw.web.tls import Certificate

READY_LIMIT = 60.0  # seconds for the local agent to connect before the start says that it has not yet
WATCH = 1.0  # seconds between looks at the child processes
DRAIN = 2.0  # seconds that requests under way get at the end
LOG_SIZE = 5 * 2**20
FILES = 65_536  # open files: enough for 20,000 agents and their kept connections

COLLECT_AFTER = 20_000, 20, 50
"""Objects more than before, and rounds, after which Python looks for cycles among the young, middle and old ones."""


def run(settings: Settings, *, with_agent: bool) -> None:
    """Run until a signal or the death of the database.

    :raises StartError: with the one line that says why it cannot start or go on.
    """
    _allow_connections()
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, stop.set)
    with StateFolder(settings.state_folder) as state, contextlib.ExitStack() as stack:
        _log_to(state.path / "log" / "portalfw.log")
        certificate = Certificate.of(settings)
        listener = listen(settings.listen, settings.port)
        stack.callback(listener.close)
        mongod = stack.enter_context(_database(settings))
        runtime = stack.enter_context(_runtime(settings, mongod[1]))
        state.ensure_administrator()
        app = create_app(runtime)
        _serve(stack, listener, app, app.short, certificate)
        if certificate is not None and with_agent:
            settings = _way_for_agent(stack, app, settings)
        agent = stack.enter_context(_agent(settings, runtime)) if with_agent else None
        if agent is not None:
            _wait_for_agent(runtime, agent, stop)
        # What is there now stays. Else each full collection walks through all of it: 80 ms in which nothing moves.
        gc.collect()
        gc.freeze()
        # 10,000 agents are half a million objects more: to look through them as often was two fifths of a job's cost.
        gc.set_threshold(*COLLECT_AFTER)
        _announce(settings, state)
        hub_watch = HubWatch()
        hub_watch.start()
        stack.callback(hub_watch.stop)
        _watch(stop, mongod[0], agent, certificate, hub_watch)
        click.echo("Stopping …")


def _allow_connections() -> None:
    """Use the open files that the system allows: each agent and each open page keeps some."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _serve(
    stack: contextlib.ExitStack, listener: socket.socket, app: Any, short: Short, certificate: Certificate | None
) -> None:
    server = Server(listener, app, certificate.context if certificate else None, short=short)
    server.start()
    stack.callback(server.stop, DRAIN)


def _way_for_agent(stack: contextlib.ExitStack, app: Portal, settings: Settings) -> Settings:
    """Open a plain port of loopback for the agent beside us: the certificate is not for 127.0.0.1."""
    listener = listen("127.0.0.1", 0)
    stack.callback(listener.close)
    _serve(stack, listener, agents_only(app), app.short, None)
    return settings.model_copy(update={"controller": f"http://127.0.0.1:{listener.getsockname()[1]}"})


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[tuple[Mongod | None, Any]]:
    if settings.mongodb_uri:
        yield None, connect(settings.mongodb_uri, settings.mongodb_name)
        disconnect()
        return
    mongod = Mongod(settings.state_folder / "mongod")
    mongod.start()
    try:
        yield mongod, connect(mongod.uri, settings.mongodb_name)
    finally:
        disconnect()
        mongod.stop()


@contextlib.contextmanager
def _runtime(settings: Settings, database: Any) -> Iterator[Runtime]:
    runtime = Runtime(settings, database)
    runtime.start()
    try:
        yield runtime
    finally:
        runtime.stop()


@contextlib.contextmanager
def _agent(settings: Settings, runtime: Runtime) -> Iterator[LocalAgent]:
    agent = LocalAgent(settings, runtime)
    agent.start()
    try:
        yield agent
    finally:
        agent.stop()


def _wait_for_agent(runtime: Runtime, agent: LocalAgent, stop: Event) -> None:
    limit = time.monotonic() + READY_LIMIT
    while not runtime.controller.connected_nodes() and not stop.is_set():
        agent.check()
        if time.monotonic() > limit:
            raise StartError(f"The local agent did not connect within {READY_LIMIT:.0f} s (log: {agent.log}).")
        gevent.sleep(0.05)


def _announce(settings: Settings, state: StateFolder) -> None:
    host = "127.0.0.1" if settings.listen in {"0.0.0.0", "::"} else settings.listen  # noqa: S104 - compared, not bound
    scheme = "http" if settings.tls_certificate is None else "https"
    click.echo(f"Ready: {scheme}://{host}:{settings.port}/")
    if state.password_file.exists():
        click.echo(f"Sign in as admin; the password lies in {state.password_file}")


def _watch(
    stop: Event,
    mongod: Mongod | None,
    agent: LocalAgent | None,
    certificate: Certificate | None,
    hub_watch: HubWatch,
) -> None:
    while not stop.wait(WATCH):
        hub_watch.tell()
        if certificate is not None:
            certificate.reload_if_changed()
        if mongod is not None and not mongod.running():
            raise StartError(
                f"MongoDB has ended unexpectedly (log: {mongod.log}); start again to go on with the same data."
            )
        if agent is not None:
            agent.keep_running()


def _log_to(path: Path) -> None:
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    to_file = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_SIZE, backupCount=3)
    to_person = logging.StreamHandler()
    to_person.setLevel(logging.ERROR)
    for handler in (to_file, to_person):
        handler.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_person])
