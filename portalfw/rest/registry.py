"""All methods of all actors, by address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from portalfw.errors import NotFoundError, StartError
from portalfw.rest.declaration import Actor, Method, methods_of

OPEN: Final = frozenset({"guest", "login"})  # rights that everybody has who is signed in


class Registry:
    """The methods that this installation answers."""

    def __init__(self) -> None:
        """Begin empty."""
        self._methods: dict[str, Method] = {}
        self.version = 0  # grows with each actor that is added
        self._open: set[str] = set()
        self._open_at = 0

    def add(self, actor_class: type[Actor]) -> None:
        """Add an actor's methods; a later actor of the same name replaces them.

        :raises StartError: if a method has no right or an argument no type.
        """
        if not actor_class.app:
            raise StartError(
                f"Actor {actor_class.__name__} names no app; write class {actor_class.__name__}(Actor, app=…)."
            )
        found = methods_of(actor_class)
        again = {
            address
            for address, method in self._methods.items()
            if (method.app, method.actor, method.actor_class.__module__)
            == (actor_class.app, actor_class.actor, actor_class.__module__)
        }
        for address in again:  # of a module that was loaded anew
            del self._methods[address]
        self._methods |= {method.address.lower(): method for method in found}
        self.version += 1

    def find(self, address: str) -> Method:
        """Return the method at ``app/actor/method``, in any letter case.

        :raises NotFoundError: if there is none.
        """
        try:
            return self._methods[address.lower()]
        except KeyError:
            raise NotFoundError(f"There is no method {address}.") from None

    def is_open(self, collection: str) -> bool:
        """Tell whether everybody who is signed in may ask for what lies in a collection, as the methods declare it."""
        if self._open_at != self.version:
            everybody = [one for one in self._methods.values() if not OPEN.isdisjoint(one.declaration.right.split("|"))]
            self._open = {topic.partition(":")[0] for one in everybody for topic in one.declaration.live}
            self._open_at = self.version
        return collection in self._open

    def __iter__(self) -> Iterator[Method]:
        """Iterate over all methods, by address."""
        return iter(self._methods[address] for address in sorted(self._methods))
