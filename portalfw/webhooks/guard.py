"""Where a webhook may go: http and https only, and not to this machine or what only this machine sees.

An address is looked at when a webhook is made, and again when the connection is made: what a name means may change in
between, so the address that was looked at is the one that is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from portalfw.errors import InvalidError

LONGEST: Final = 2000  # characters of an address
CONNECT: Final = 5.0  # seconds


class RefusedAddressError(OSError):
    """A name leads to an address that webhooks may not go to; trying again is no use."""


def checked_url(url: str, *, local: bool) -> str:
    """Return a webhook's address without surrounding blanks.

    :param local: addresses of this machine and of its links are allowed too.
    :raises InvalidError: it is no address for a webhook; says why.
    """
    found = url.strip()
    try:
        parts = urlsplit(found)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise _wrong(f"{found!r} is no address: {error}") from error
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise _wrong("An address begins with https:// or http:// and names a host")
    if len(found) > LONGEST or not found.isprintable() or " " in found:
        raise _wrong(f"An address has {LONGEST} characters at most, and no blanks")
    if parts.username or parts.password:
        raise _wrong("The address may not hold a name and password; use the secret")
    try:
        allowed(host, local=local)
    except RefusedAddressError as error:
        raise _wrong(str(error)) from error
    except OSError:
        return found  # a name that cannot be resolved now may be one later; it is looked at when it is used
    return found


def allowed(host: str, port: int = 0, *, local: bool) -> list[tuple[Any, ...]]:
    """Return what a host means, as :func:`socket.getaddrinfo` does.

    :raises RefusedAddressError: if any of it may not be gone to.
    :raises OSError: if it means nothing.
    """
    found: list[tuple[Any, ...]] = [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for entry in found:
        address = ipaddress.ip_address(str(entry[4][0]).partition("%")[0])
        if not local and _is_inside(address):
            raise RefusedAddressError(
                f"{host} is {address}, where webhooks may not go (setting webhook_local_addresses)"
            )
    return found


def _is_inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether only this machine, or its links, know what is there."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return _is_inside(inner)
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or (isinstance(address, ipaddress.IPv4Address) and (address.is_reserved or address.packed[0] == 0))
    )


def guarded_session(*, local: bool) -> requests.Session:
    """Return a session that connects only where webhooks may go, by no proxy, and follows no redirects."""
    session = requests.Session()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Guarded(local=local))
    return session


class _Guarded(HTTPAdapter):
    """Makes connections that look at the address first."""

    def __init__(self, *, local: bool) -> None:
        self._local = local
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(local=self._local)


def _pools(*, local: bool) -> dict[str, type[HTTPConnectionPool]]:
    def connect(connection: HTTPConnection) -> socket.socket:
        found = allowed(connection.host, connection.port, local=local)
        failure: OSError = OSError(f"{connection.host} cannot be reached")
        for *_, address in found:
            try:
                return socket.create_connection(address[:2], CONNECT)
            except OSError as error:
                failure = error
        raise failure

    class Plain(HTTPConnection):
        _new_conn = connect

    class Secure(HTTPSConnection):
        _new_conn = connect

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _wrong(said: str) -> InvalidError:
    return InvalidError(f"{said}.", detail={"argument": "url"})
