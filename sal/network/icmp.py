"""Echo requests (pings) of our own, so that a node needs no command for them."""

from __future__ import annotations

import ipaddress
import os
import secrets
import select
import socket
import struct
import time
from typing import Final

from sal.errors import NetworkError

#: Bytes of the headers of IP and ICMP around what a request carries, by version of IP.
HEADERS: Final = {4: 28, 6: 48}
_REQUEST, _ANSWER = {4: 8, 6: 128}, {4: 0, 6: 129}
_PROTOCOL: Final = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_FAMILY: Final = {4: socket.AF_INET, 6: socket.AF_INET6}
# linux/in.h and in6.h: IP_MTU_DISCOVER, IPV6_MTU_DISCOVER; never take apart, whatever is known of the path.
_DISCOVER: Final = {4: (socket.IPPROTO_IP, 10), 6: (socket.IPPROTO_IPV6, 23)}
_PROBE: Final = 3
_LEAST: Final = 16
_BUFFER: Final = 65536


def echo(address: str, count: int, size: int = 84, *, interval: float = 0.2, wait: float = 1.0) -> list[float]:
    """Send ``count`` echo requests and return the milliseconds that each answer took; what is lost is left out.

    Params: ``size`` bytes of each packet with its headers, which is not taken apart on the way; seconds between
    requests, and that an answer may take. Raises `ValueError` if it is no address, `NetworkError` if this may not ping.
    """
    version = ipaddress.ip_address(address).version
    payload = max(_LEAST, size - HEADERS[version])
    mark = secrets.token_bytes(8)
    found: list[float] = []
    with _socket(version) as channel:
        for number in range(count):
            began = time.monotonic()
            took = _once(channel, address, version, number, mark + bytes(payload - len(mark)), wait)
            if took is not None:
                found.append(took * 1000)
            if number + 1 < count:
                time.sleep(max(0.0, interval - (time.monotonic() - began)))
    return found


def _socket(version: int) -> socket.socket:
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        try:
            channel = socket.socket(_FAMILY[version], kind, _PROTOCOL[version])
        except PermissionError:
            continue
        channel.setsockopt(*_DISCOVER[version], _PROBE)
        return channel
    raise NetworkError("this process may not ping: run the agent as root, or set net.ipv4.ping_group_range")


def _once(channel: socket.socket, address: str, version: int, number: int, payload: bytes, wait: float) -> float | None:
    """Send one request and return the seconds until its answer; None if there is none, or it cannot be sent."""
    head = struct.pack("!BBHHH", _REQUEST[version], 0, 0, os.getpid() & 0xFFFF, number)
    if version == 4:  # noqa: PLR2004 - of version 6 the kernel writes the sum
        head = head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:]
    began = time.monotonic()
    try:
        channel.sendto(head + payload, (address, 0))
    except OSError:  # too long for the link, or no way there
        return None
    while (left := began + wait - time.monotonic()) > 0:
        if not select.select([channel], [], [], left)[0]:
            break
        answer = channel.recv(_BUFFER)
        if channel.type == socket.SOCK_RAW and version == 4:  # noqa: PLR2004
            answer = answer[(answer[0] & 0x0F) * 4 :]
        if answer[:1] == bytes([_ANSWER[version]]) and answer[6:16] == struct.pack("!H", number) + payload[:8]:
            return time.monotonic() - began
    return None


def checksum(data: bytes) -> int:
    """Return the sum of RFC 1071."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total: int = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
