"""What a machine is asked to be."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, field
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from sal.names import checked, link
from sal.spec import read

_STRICT = ConfigDict(extra="forbid")
_MAC = r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"


@dataclass(frozen=True, config=_STRICT)
class DiskSpec:
    """A disk: ``volume`` is its name in the site's pool, ``size`` in GiB, ``image`` the volume that it is a copy of."""

    volume: str
    size: Annotated[int, Field(gt=0)]
    image: str | None = None
    boot: bool = False


@dataclass(frozen=True, config=_STRICT)
class NicSpec:
    """A network card: the bridge that it is plugged into, and the address that the gateway reserves for its ``mac``."""

    bridge: str
    mac: Annotated[str, Field(pattern=_MAC)]
    ip: str | None = None


@dataclass(frozen=True, config=_STRICT)
class SeedSpec:
    """What a guest is told at its first start, in cloud-init's NoCloud form."""

    hostname: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    userdata: str | None = None


@dataclass(frozen=True, config=_STRICT)
class MachineSpec:
    """A machine: ``memory`` in MiB, disks in the order in which the guest sees them."""

    name: str
    uuid: str
    memory: Annotated[int, Field(gt=0)]
    vcpus: Annotated[int, Field(gt=0)]
    disks: list[DiskSpec]
    nics: list[NicSpec] = field(default_factory=list)
    hostname: str | None = None
    seed: SeedSpec | None = None

    def __post_init__(self) -> None:
        """Refuse names that could not be made."""
        checked(self.name, "machine")
        for disk in self.disks:
            checked(disk.volume, "volume")
        for nic in self.nics:
            link(nic.bridge)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a job's ``machine`` argument; raises `SpecError`."""
        name = value.get("name", "without name") if isinstance(value, dict) else value
        return read(cls, value, f"machine {name}")

    @property
    def seed_volume(self) -> str:
        """The name of the volume that holds the seed."""
        return f"{self.name}-seed"

    def digest(self) -> str:
        """Return a digest that changes when anything of the spec does."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
