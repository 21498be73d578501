"""Behind a proxy: whose word counts for where a request comes from, and how the portal is called from outside."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from portalfw.auth.origin import PUBLIC_URL

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SCHEMES = frozenset({"http", "https"})
HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Proxied:
    """Rewrites what a proxy of ours changed back to what the client did, before anything looks at the request.

    Proxies are believed by their address, not by counting hops: who reaches the portal past the proxy could otherwise
    call itself what it likes.
    """

    def __init__(self, application: Any, trusted: Sequence[Network], public_url: str | None) -> None:
        """Surround ``application``; believe peers in ``trusted``, and tell everything inside the ``public_url``."""
        self._application = application
        self._trusted = tuple(trusted)
        self._public_url = public_url
        self._is_trusted = functools.lru_cache(maxsize=4096)(self._look_up)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request."""
        if self._public_url is not None:
            environ[PUBLIC_URL] = self._public_url
        if self._trusted and self._is_trusted(environ.get("REMOTE_ADDR", "")):
            self._believe(environ)
        return self._application(environ, start_response)

    def _believe(self, environ: dict[str, Any]) -> None:
        environ["REMOTE_ADDR"] = self._client(environ["REMOTE_ADDR"], environ.get("HTTP_X_FORWARDED_FOR", ""))
        scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if scheme in SCHEMES:
            environ["wsgi.url_scheme"] = scheme
        host = _last(environ.get("HTTP_X_FORWARDED_HOST", ""))
        if HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _client(self, peer: str, forwarded: str) -> str:
        """Return the address nearest to us that is no proxy of ours; what stands left of it anybody may have made up.

        An entry that is no address ends the search: the last proxy before it is as much as is known.
        """
        client = peer
        for entry in reversed(forwarded.split(",")):
            address = _address(entry)
            if address is None:
                return client
            client = str(address)
            if not self._is_trusted(client):
                return client
        return client

    def _look_up(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _last(header: str) -> str:
    """Return what the proxy nearest to us has said."""
    return header.rpartition(",")[2].strip()


def _address(text: str) -> Address | None:
    """Read an address as proxies write it: with a port or without, IPv6 in brackets or bare."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address  # a socket for both families shows ::ffff:192.0.2.7
