"""What there is for the caller: spaces to read, actors to call."""

from __future__ import annotations

from portalfw.auth.principal import Principal
from portalfw.rest import Actor, Method, method
from portalfw.wiki.rights import letters_of


class ContentManager(Actor, app="system"):
    """Spaces and actors by name."""

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def get_spaces(self) -> list[str]:
        """Return the names of the spaces that the caller may read."""
        principal = self.call.principal
        spaces = self.runtime.wiki.spaces
        return sorted(name for name, space in spaces.items() if "R" in letters_of(principal, space.config.rights))

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def get_actors(self) -> list[str]:
        """Return the names of the actors, as ``app__actor``, of which the caller may call some method."""
        principal = self.call.principal
        return sorted({f"{one.app}__{one.actor}" for one in self.runtime.registry if _may_call(principal, one)})


def _may_call(principal: Principal, method: Method) -> bool:
    """Tell whether some arguments could let a principal in; on which objects, only a call can say."""
    rights = method.declaration.right.split("|")
    if principal.guest or principal.is_admin:
        return principal.is_admin or "guest" in rights
    groups = [right.removeprefix("group:").split(",") for right in rights if right.startswith("group:")]
    return len(groups) < len(rights) or any(principal.has_group(*names) for names in groups)
