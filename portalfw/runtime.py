"""One running process of the product: everything that its parts are given."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import gevent
from pymongo.database import Database

from portalfw import errorconditions
from portalfw.audience import Audiences
from portalfw.auth.identify import Identifier
from portalfw.auth.policy import Policy
from portalfw.auth.principal import SYSTEM
from portalfw.auth.users import ensure_groups
from portalfw.content import Content
from portalfw.controller import Controller, retention
from portalfw.dal.local import LocalDatacenter
from portalfw.duties import Duties
from portalfw.events import EventBus
from portalfw.extension import Duty, NameFunction, RuntimeFunction, extensions_of
from portalfw.health import certificate, load, queues
from portalfw.health import checks as own_checks
from portalfw.health.findings import HealthCheck, Judge
from portalfw.health.health import Health
from portalfw.history import History
from portalfw.hot_reload import HotReload
from portalfw.rest.declaration import Actor
from portalfw.rest.dispatch import Dispatcher
from portalfw.rest.registry import Registry
from portalfw.search import Search, Searchable
from portalfw.settings import Settings
from portalfw.statistics import rollup
from portalfw.store import ensure_indexes
from portalfw.wiki import Wiki
from portalfw.wiki import audience as page_audience

log = logging.getLogger(__name__)

T = TypeVar("T")


class Runtime:
    """What a process of the portal holds: settings, bus, actors, controller, wiki, and one instance of each service."""

    def __init__(self, settings: Settings, database: Database[dict[str, Any]]) -> None:
        """Load the content directories; nothing runs yet.

        :raises StartError: naming the file of an actor, macro or page that cannot be loaded.
        """
        self.settings = settings
        self.process_id = uuid.uuid4().hex
        self.content = Content(settings.content)
        self.bus = EventBus(database)
        self.policy = Policy()
        self.registry = Registry()
        self.audiences = Audiences(self.registry.is_open)
        self.dispatcher = Dispatcher(self, self.registry, self.policy)
        self.controller = Controller(self)
        self.dal = LocalDatacenter(self.controller.queue, self._call)
        self._services: dict[Callable[[Runtime], Any], Any] = {}
        self._first_starts: list[RuntimeFunction] = []
        self._name_losses: list[NameFunction] = []
        self._searchables: list[Searchable] = []
        self._node_judges: dict[str, Judge] = {}
        duties = [
            Duty("controller.sweep", 1.0, lambda runtime: runtime.controller.sweep()),
            Duty("statistics.roll_up", rollup.EVERY, lambda _: rollup.roll_up()),
            Duty("controller.purge", retention.EVERY, lambda runtime: runtime.controller.tidy()),
        ]
        checks = [
            one for module in (own_checks, certificate, load, queues) for one in extensions_of(module).health_checks
        ]
        self._load_actors(duties, checks)
        self.health = Health(self, checks, self._node_judges)
        self.wiki = Wiki(self.content, self.dispatcher, settings, changes=self.bus)
        for collection in page_audience.COLLECTIONS:
            self.audiences.add_by_id(collection, page_audience.PageAudience(self.wiki))
        self.history = History(settings, self.content, self.bus, self.wiki)
        self.search = Search(self, self._searchables)
        self.duties = Duties(self, [*duties, *self.health.duties()])
        self.identify: Identifier | None = None
        self._job_watches: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Prepare the database, begin to listen to its changes, and run the duties."""
        ensure_indexes()
        self.bus.start()
        self.identify = Identifier(self.bus, self.settings.jwt_issuers)
        ensure_groups()
        self._job_watches = [
            gevent.spawn(errorconditions.watch_jobs, self.bus),
            gevent.spawn(self.health.nodes.watch),
        ]
        self.controller.start()
        self.history.start()
        for function in self._first_starts:
            function(self)
        self.search.start()
        self.duties.start()
        if self.settings.dev:
            self.spawn(HotReload(self).run)

    def stop(self) -> None:
        """Finish what is under way and give back what is held."""
        self.duties.stop()
        self.search.stop()
        gevent.killall(self._job_watches)
        self.history.stop()
        self.controller.stop()
        self.dispatcher.audit.flush()
        self.bus.stop()

    def service(self, factory: Callable[[Runtime], T]) -> T:
        """Return this process's one instance of a service, made by ``factory`` at first use."""
        if factory not in self._services:
            self._services[factory] = factory(self)
        found: T = self._services[factory]
        return found

    def _call(self, address: str, given: Mapping[str, Any]) -> Any:
        """Call a method as the platform itself."""
        return self.dispatcher.call(SYSTEM, address, given)

    def name_lost(self, kind: Literal["user", "group"], name: str) -> None:
        """Take back what a deleted user or group held by its name."""
        for function in self._name_losses:
            function(kind, name)

    def spawn(self, function: Callable[..., object], *args: object) -> gevent.Greenlet[..., object]:
        """Run ``function`` beside the caller; a failure is logged, since nobody waits for it."""
        greenlet: gevent.Greenlet[..., object] = gevent.Greenlet(function, *args)
        greenlet.link_exception(lambda failed: _background_failed(function, failed))
        greenlet.start()
        return greenlet

    def _load_actors(self, duties: list[Duty], checks: list[HealthCheck]) -> None:
        for module in self.content.modules("actors"):
            found = extensions_of(module)
            duties += found.duties
            checks += found.health_checks
            self._node_judges |= dict(found.node_judges)
            self._first_starts += found.first_starts
            self._name_losses += found.name_losses
            self._searchables += found.searchables
            for collection, function in found.audiences:
                self.audiences.add(collection, function)
            for resource, source in found.right_sources:
                self.policy.add_source(resource, source)
            for value in vars(module).values():
                if (
                    isinstance(value, type)
                    and issubclass(value, Actor)
                    and value.__module__ == module.__name__
                    and value.app
                ):
                    self.registry.add(value)
        for method in self.registry:
            self.policy.validate(method.declaration.right, f"{method.actor_class.__module__}.{method.attribute}")


def _background_failed(function: Callable[..., object], failed: gevent.Greenlet[..., object]) -> None:
    log.error("Background work %s failed: %s", function, failed.exception)
    if failed.exception is not None:
        name = getattr(function, "__qualname__", repr(function))
        trace = failed.exc_info[2] if failed.exc_info else None
        errorconditions.failed_greenlet(name, failed.exception, trace)
