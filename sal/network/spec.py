"""What a gateway is asked to be. Everything is checked here, as it ends up in files and rules."""

from __future__ import annotations

from dataclasses import field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from sal.errors import SpecError
from sal.names import link
from sal.spec import read

_STRICT = ConfigDict(extra="forbid")
_MAC = r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"
_LABEL = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
_Port = Annotated[int, Field(ge=1, le=65535)]

#: Names of the two links within every gateway's namespace.
INSIDE: Final = "inside"
OUTSIDE: Final = "outside"


@dataclass(frozen=True, config=_STRICT)
class ExternalSpec:
    """The gateway's place in an external network: its address there, and the router.

    With ``host_gateway`` the node itself is that router: it takes the router's address and translates to its own.
    """

    bridge: str
    address: IPv4Interface
    gateway: IPv4Address
    host_gateway: bool = False

    @property
    def router(self) -> IPv4Interface:
        """The router's address with the network's prefix."""
        return IPv4Interface((self.gateway, self.address.network.prefixlen))


@dataclass(frozen=True, config=_STRICT)
class LeaseSpec:
    """An address that DHCP keeps for one network card, and the name that DNS gives it."""

    mac: Annotated[str, Field(pattern=_MAC)]
    ip: IPv4Address
    hostname: Annotated[str | None, Field(pattern=_LABEL)] = None


@dataclass(frozen=True, config=_STRICT)
class ForwardSpec:
    """A public port that leads to a port of a machine."""

    protocol: Literal["tcp", "udp"]
    public_ip: IPv4Address
    public_port: _Port
    local_ip: IPv4Address
    local_port: _Port


@dataclass(frozen=True, config=_STRICT)
class GatewaySpec:
    """A gateway: ``name`` of its namespace, the cloudspace's ``bridge`` and ``network``, its own ``address`` in it."""

    name: str
    bridge: str
    network: IPv4Network
    address: IPv4Address
    external: ExternalSpec
    leases: list[LeaseSpec] = field(default_factory=list)
    forwards: list[ForwardSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what could not be made."""
        for name in (self.bridge, self.external.bridge, self.inside_link, self.outside_link):
            link(name)
        for address in (self.address, *(lease.ip for lease in self.leases)):
            if address not in self.network:
                raise SpecError(f"gateway {self.name}: {address} is not in {self.network}")
        if self.external.gateway not in self.external.address.network:
            raise SpecError(
                f"gateway {self.name}: router {self.external.gateway} is not in {self.external.address.network}"
            )

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a job's ``gateway`` argument; raises `SpecError`."""
        name = value.get("name", "without name") if isinstance(value, dict) else value
        return read(cls, value, f"gateway {name}")

    @property
    def inside_link(self) -> str:
        """The node's end of the cable to the cloudspace."""
        return f"{self.name}i"

    @property
    def outside_link(self) -> str:
        """The node's end of the cable to the external network."""
        return f"{self.name}x"

    @property
    def inside_address(self) -> IPv4Interface:
        """The gateway's address in the cloudspace, with its prefix."""
        return IPv4Interface((self.address, self.network.prefixlen))

    @property
    def outside_addresses(self) -> list[IPv4Interface]:
        """The gateway's address in the external network, and further ones that forwards listen on."""
        own = self.external.address
        others = sorted({forward.public_ip for forward in self.forwards} - {own.ip})
        return [own, *(IPv4Interface((address, 32)) for address in others)]
