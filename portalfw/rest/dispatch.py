"""The one way to call a method, over HTTP and in-process alike: find, check right, validate, call, record."""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pymongo.errors

from portalfw import errorconditions, progress
from portalfw.auth.policy import Policy
from portalfw.auth.principal import Principal
from portalfw.errors import PortalError, UnavailableError
from portalfw.rest.arguments import parse
from portalfw.rest.audit import AuditLog, masked, tags_of
from portalfw.rest.declaration import Method
from portalfw.rest.errors import status_of
from portalfw.rest.registry import Registry

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

Via = Literal["http", "page", "cli"]


@dataclass(frozen=True)
class Call:
    """One call of a method: who asks, from where, by which way, and what its browser calls the portal."""

    principal: Principal
    remote_address: str = ""
    via: Via = "http"
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    locate: Callable[[], str] = str  # tells what the browser calls the portal; nothing where there is none
    secret_parts: dict[str, Collection[str]] = field(default_factory=dict)  # by wire name, see `keep_off_record`

    flags: list[str] = field(default_factory=list)  # see `tag`

    @property
    def origin(self) -> str:
        """What the caller's browser calls the portal: ``https://cloud.example.org``."""
        return self.locate()

    def tag(self, text: str) -> None:
        """Flag the audit record of this call with something that it can be found by."""
        self.flags.append(text)

    def keep_off_record(self, argument: str, paths: Collection[str]) -> None:
        """Have parts of an argument masked in the audit record of this call, besides what is called a secret.

        :param argument: its wire name.
        :param paths: names with dots, from the top of the argument: ``machine.seed.userdata``.
        """
        self.secret_parts[argument] = paths

    def progress(self, text: str, done: float | None = None, total: float | None = None) -> None:
        """Say what the call does now, and how far it is; see :func:`portalfw.progress.report`."""
        progress.report(text, done, total)


class InternalError(PortalError):
    """Something unexpected; the log knows it by the request id."""

    code = "internal"
    occurrence = ""  # the id under which the error condition is found


class Dispatcher:
    """Calls methods for principals."""

    def __init__(self, runtime: Runtime, registry: Registry, policy: Policy) -> None:
        """Bind the dispatcher to what it decides with."""
        self._runtime = runtime
        self.registry = registry
        self.policy = policy
        self.audit = AuditLog()

    def describe(self, address: str) -> Method:
        """Return the declaration of a method.

        :raises NotFoundError: if there is none at ``address``.
        """
        return self.registry.find(address)

    def call(self, principal: Principal, address: str, given: Mapping[str, Any], *, via: Via = "page") -> Any:
        """Call the method at ``address`` with arguments by wire name, for ``principal``, and return its answer."""
        return self.run(self.registry.find(address), given, Call(principal, via=via))

    def run(
        self, method: Method, given: Mapping[str, Any], call: Call, accepted: Callable[[], object] | None = None
    ) -> Any:
        """Call ``method``; ``accepted`` is told when arguments and right were found good, before the work begins.

        :raises PortalError: what the method raised; anything unexpected becomes an :class:`InternalError`.
        """
        began = time.perf_counter()
        failure: PortalError | None = None
        answer: Any = None
        try:
            arguments = parse(method.model, given)
            self.policy.require(
                call.principal,
                method.declaration.right,
                arguments,
                address=method.address,
                readonly=method.declaration.readonly,
            )
            if accepted is not None:
                accepted()
            if method.gathered is not None:
                arguments = method.gathered.gather(arguments)
            answer = getattr(method.actor_class(self._runtime, call), method.attribute)(**arguments)
        except PortalError as error:
            failure = error
            raise
        except pymongo.errors.PyMongoError as error:
            log.exception("%s %s: the database failed", call.request_id, method.address)
            if not isinstance(error, pymongo.errors.ConnectionFailure):  # what is away cannot keep a record either
                errorconditions.record("call", method.address, error, call.request_id, call.principal.name)
            failure = UnavailableError(f"The database does not answer ({type(error).__name__}); try again in a moment.")
            raise failure from error
        except Exception as error:  # the edge: whatever an actor did not foresee is recorded here under its id
            log.exception("%s %s failed", call.request_id, method.address)
            errorconditions.record("call", method.address, error, call.request_id, call.principal.name)
            failure = InternalError(f"{method.address} failed unexpectedly; the log has it under {call.request_id}.")
            failure.occurrence = call.request_id
            raise failure from error
        finally:
            self._record(method, given, call, time.perf_counter() - began, failure, answer)
        return answer

    def _record(
        self,
        method: Method,
        given: Mapping[str, Any],
        call: Call,
        duration: float,
        failure: PortalError | None,
        answer: Any,
    ) -> None:
        readonly = method.declaration.readonly
        if readonly and call.via == "page" and failure is None:
            return  # what a page shows is on record by the page; its reads would drown what people did
        if method.declaration.minor and failure is None:
            return
        record = {
            "_id": call.request_id,
            "user": call.principal.name,
            "address": call.remote_address,
            "via": call.via,
            "call": method.address,
            "arguments": masked(method, given, call.secret_parts),
            "changes": not readonly,
            "status": 200 if failure is None else status_of(failure),
            "error": failure.message if failure else None,
            "duration": duration,
            "date": dt.datetime.now(dt.UTC),
            "tags": [*tags_of(method, given, answer), *call.flags],
        }
        try:
            self.audit.add(record, now=not readonly)
        except pymongo.errors.PyMongoError:
            log.exception("The audit record of %s could not be written", method.address)
