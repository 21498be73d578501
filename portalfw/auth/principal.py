"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

ADMIN = "admin"


@dataclass(frozen=True)
class Principal:
    """A person or program for whom something is done: a name and the groups that it is in."""

    name: str
    groups: frozenset[str] = frozenset()
    guest: bool = False

    def has_group(self, *names: str) -> bool:
        """Tell whether it is in any of the groups."""
        return not self.groups.isdisjoint(names)

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything."""
        return ADMIN in self.groups


GUEST = Principal("guest", frozenset({"guest"}), guest=True)
SYSTEM = Principal("system", frozenset({ADMIN}))  # duties of the platform itself
