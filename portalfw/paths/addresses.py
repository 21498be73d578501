"""By which address one node reaches another, as far as the controller can know."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

FIELDS: Final = ["name", "address", "boot_id", "facts.interfaces"]
"""Fields of nodes from which :func:`between` knows."""

FOR_GUESTS: Final = re.compile(r"pf[0-9a-f]{4}-|virbr|docker|veth|br-")
"""Names of links that networks of guests are made of: other nodes have such too, with the same addresses."""

Row = Mapping[str, Any]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def between(source: Row, target: Row) -> str:
    """Return the address by which the node ``source`` reaches ``target``, empty if none is known.

    It is the one by which the controller knows the target. That may be loopback, where both run on one machine: then it
    is good for agents of that machine only, and for others the first address of the target's own cards is taken.
    """
    known = _address(target.get("address") or "")
    if known is not None and not known.is_loopback:
        return str(known)
    if known is not None and source.get("boot_id") and source["boot_id"] == target.get("boot_id"):
        return str(known)
    return next((str(one) for one in _own(target)), "")


def _own(node: Row) -> Iterator[Address]:
    """Yield the addresses of a node's cards that others may know it by; those of networks for machines are not."""
    for card in (node.get("facts") or {}).get("interfaces") or ():
        if not card.get("up") or FOR_GUESTS.match(str(card.get("name", ""))):
            continue
        for text in card.get("addresses") or ():
            found = _address(str(text).partition("/")[0])
            if found is not None and not (found.is_loopback or found.is_link_local or found.is_unspecified):
                yield found


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if found.is_unspecified else found
