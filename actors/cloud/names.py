"""What things of the cloud are called on a node; the site before each name lets installations share a machine."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Names on the nodes of one site."""

    site: str

    def machine(self, machine_id: int) -> str:
        """Return the name of a machine's domain."""
        return f"{self.site}-m{machine_id}"

    def machine_id(self, name: str) -> int | None:
        """Return the id of the machine whose domain has this name, None if it is none of ours."""
        prefix, _, number = name.rpartition("-m")
        return int(number) if prefix == self.site and number.isdigit() else None

    @property
    def trial(self) -> str:
        """The name of a node's test machine, there for some seconds only; those of its volumes begin with it."""
        return f"{self.site}-trial"

    def disk(self, disk_id: int) -> str:
        """Return the name of a disk's volume."""
        return f"{self.site}-d{disk_id}"

    def image(self, image_id: int) -> str:
        """Return the name of an image's volume."""
        return f"{self.site}-i{image_id}"

    def owner(self, volume: str) -> tuple[str, int] | None:
        """Return whose volume this is, ``disk``, ``image`` or ``machine`` (its seed) and the id; None if not ours."""
        found = re.fullmatch(rf"{re.escape(self.site)}-(?:(d)(\d+)|(i)(\d+)|(m)(\d+)-seed)", volume)
        if found is None:
            return None
        letter, number = (part for part in found.groups() if part is not None)
        return {"d": "disk", "i": "image", "m": "machine"}[letter], int(number)

    def bridge(self, cloudspace_id: int) -> str:
        """Return the name of a cloudspace's bridge."""
        return f"{self.site}-b{cloudspace_id}"

    def gateway(self, cloudspace_id: int) -> str:
        """Return the name of the namespace with a cloudspace's gateway."""
        return f"{self.site}-g{cloudspace_id}"

    def external_bridge(self, network_id: int) -> str:
        """Return the name of an external network's bridge."""
        return f"{self.site}-x{network_id}"
