"""Where passkeys work: they belong to the name of a site, and browsers offer them to secure pages only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from portalfw.errors import InvalidError

LOCAL = "localhost"  # browsers take it for secure without https, but not its addresses: a passkey needs a name


@dataclass(frozen=True)
class Site:
    """The portal as browsers see it; ``problem`` says why passkeys cannot work there, ``better`` where they do."""

    origin: str
    name: str = ""  # the relying party's id (WebAuthn level 2, section 5.1.2)
    problem: str = ""
    better: str = ""

    def require(self) -> Site:
        """Return the site if passkeys work there.

        :raises InvalidError: otherwise, saying why and what to do.
        """
        if self.problem:
            raise InvalidError(f"{self.problem} {f'Open the portal at {self.better}.' if self.better else ''}".strip())
        return self


def site_at(origin: str) -> Site:
    """Return the site of an origin, such as ``https://cloud.example.org``."""
    scheme, name, port = _parts(origin.lower())
    if not name:
        return Site(origin, problem="Passkeys need a browser at the portal's own address.")
    local = name == LOCAL or name.endswith(f".{LOCAL}")
    address = _address(name)
    if address is not None:
        better = f"{scheme}://{LOCAL}{port}" if address.is_loopback else ""
        return Site(origin, problem="Passkeys need the portal's name, not its address.", better=better)
    if scheme != "https" and not local:
        return Site(origin, problem="Passkeys need https.", better="" if port else f"https://{name}")
    return Site(origin.lower(), name)


def _parts(origin: str) -> tuple[str, str, str]:
    """Return scheme, host and port (``:8200`` or nothing); no host if it is malformed, since clients choose it."""
    try:
        parts = urlsplit(origin)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "", "", ""
    return parts.scheme, parts.hostname or "", port


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
