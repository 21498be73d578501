"""API calls out of pages: with the viewer's rights, reading only, remembering what they depend on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from portalfw.auth.principal import Principal
from portalfw.rest.listing import Page
from portalfw.wiki.errors import MacroError

if TYPE_CHECKING:
    from portalfw.rest.declaration import Method

FIELD = re.compile(r"\{(\w+)\}")


class Dispatch(Protocol):
    """The part of the dispatcher that pages use."""

    def call(
        self, principal: Principal, address: str, given: Mapping[str, Any], *, via: Literal["page"] = "page"
    ) -> Any:
        """Call the method at ``address``."""

    def describe(self, address: str) -> Method:
        """Return the declaration of the method at ``address``."""


class Caller:
    """Calls methods for one viewer and collects the topics that their answers depend on."""

    def __init__(self, dispatcher: Dispatch, principal: Principal) -> None:
        """Call for ``principal``."""
        self.dispatcher = dispatcher
        self.principal = principal
        self.topics: set[str] = set()

    def describe(self, address: str) -> Method:
        """Return the declaration of a method.

        :raises NotFoundError: if there is none at ``address``.
        """
        return self.dispatcher.describe(address)

    def call(self, address: str, arguments: Mapping[str, Any], *, most_topics: int | None = None) -> Any:
        """Call a reading method with arguments by wire name and return its answer.

        :param most_topics: how many of its live topics, the first ones, are remembered; all if not given.
        :raises MacroError: if the method changes something, since showing a page must not.
        :raises PortalError: what the method raises.
        """
        return plain(self._answer(address, arguments, most_topics))

    def rows(self, address: str, arguments: Mapping[str, Any]) -> Page[Any]:
        """Call a list method and return its rows as plain data, with their counts.

        :raises MacroError: if the method is no list that pages, or changes something.
        :raises PortalError: what the method raises.
        """
        found = self._answer(address, arguments)
        if not isinstance(found, Page):
            raise MacroError(f"{address} does not page its rows")
        return found.answered(plain(row) for row in found)

    def _answer(self, address: str, arguments: Mapping[str, Any], most_topics: int | None = None) -> Any:
        method = self.describe(address)
        if not method.declaration.readonly:
            raise MacroError(
                f"{method.address} changes something; a page may only read. Use the macro action for a button"
            )
        given = {name: value for name, value in arguments.items() if value is not None}
        self.topics.update(topics(method, given)[:most_topics])
        return self.dispatcher.call(self.principal, address, given)


def topics(method: Method, given: Mapping[str, Any]) -> list[str]:
    """Return the live topics of a call; a topic over an argument that is not given widens to the whole collection."""
    values = {argument.name: given.get(argument.wire, argument.default) for argument in method.arguments}
    found = []
    for pattern in method.declaration.live:
        names = FIELD.findall(pattern)
        whole = any(values.get(name) is None for name in names)
        topic = pattern.partition(":")[0] if whole else FIELD.sub(lambda part: str(values[part[1]]), pattern)
        found.append(re.sub(r"\s+", "-", topic))
    return found


def plain(value: Any) -> Any:
    """Return an answer as plain data: what pages may read has no methods and no types of its own."""
    if value is None or type(value) in {str, int, float, bool}:
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    return str.__str__(value) if isinstance(value, str) else _other(value)


def _other(value: Any) -> Any:
    timestamp = getattr(value, "timestamp", None)
    return timestamp() if callable(timestamp) else str(value)
