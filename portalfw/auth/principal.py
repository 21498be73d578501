"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

ADMIN = "admin"
OPERATORS = ("level1", "level2", "level3")  # the groups of those who run the installation


@dataclass(frozen=True)
class Principal:
    """A person or program for whom something is done: a name and the groups that it is in.

    What it may do can be less than its groups allow: only methods of ``apps`` (None for all), only methods that read.
    ``credential`` says by what it has been recognised: ``session:ID`` or ``token:ID``.
    """

    name: str
    groups: frozenset[str] = frozenset()
    guest: bool = False
    apps: frozenset[str] | None = None
    readonly: bool = False
    credential: str = ""

    def has_group(self, *names: str) -> bool:
        """Tell whether it is in any of the groups."""
        return not self.groups.isdisjoint(names)

    @property
    def limited(self) -> bool:
        """Whether its credential may do less than its user."""
        return self.readonly or self.apps is not None

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything."""
        return ADMIN in self.groups

    @property
    def is_operator(self) -> bool:
        """Whether it may see what is behind the cloud; administrators may too."""
        return self.is_admin or self.has_group(*OPERATORS)


GUEST = Principal("guest", frozenset({"guest"}), guest=True)
SYSTEM = Principal("system", frozenset({ADMIN}))  # duties of the platform itself
