"""How much two nodes carry between them: one serves for a moment, the other measures, there and back.

Over plain TCP sockets. Who connects says the key of this one test and who is to send (``>`` or ``<``); the one that
serves answers with the speed of its card. Who receives measures: only what arrived counts. Both ends stop by time and
by bytes, whatever the other one does.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.errors import NetworkError, SpecError
from sal.network.links import read_links

SECONDS: Final = (0.2, 10.0)
"""How long one direction may take, least and most."""

MOST: Final = 4 << 30
"""Bytes that one direction may carry."""

WAIT: Final = 20.0
"""Seconds for which who serves waits for a connection."""

SLACK: Final = 3.0
"""Seconds that what is on its way may come late, and that a connection or its first words may take."""

KEY: Final = 32
"""Characters of a key: sixteen bytes in hexadecimal."""

_THERE, _BACK = b">", b"<"
_CHUNK: Final = 1 << 18
_UNSENT: Final = 1 << 18
"""Bytes that may lie unsent in the kernel (``TCP_NOTSENT_LOWAT``), so that a slow link is not busy long afterwards."""

_SPEED: Final = struct.Struct("!I")
_TOLD: Final = struct.Struct("!Qd")


@dataclass(frozen=True)
class Carried:
    """What arrived in one direction: bytes, and seconds from the first to the last of them."""

    bytes: int
    seconds: float

    @property
    def megabits(self) -> float:
        """Mbit/s; 0 if nothing arrived."""
        return self.bytes * 8e-6 / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Throughput:
    """What two nodes carried, there and back; ``speed`` of the slower of their cards in Mbit/s, None if none tells."""

    there: Carried
    back: Carried
    speed: int | None


def new_key() -> str:
    """Return a key for one test."""
    return secrets.token_hex(KEY // 2)


def serve(address: str, key: str, seconds: float, ready: Callable[[int], None], *, wait: float = WAIT) -> int:
    """Serve one test at an address of this node, both directions, and return the bytes that were carried.

    ``ready`` is told the port. Raises `sal.errors.NetworkError` if it cannot listen or nobody came within ``wait``
    seconds, `sal.errors.SpecError` for what makes no sense.
    """
    _check(address, key, seconds)
    carried = directions = 0
    limit = time.monotonic() + wait + 2 * (seconds + SLACK)
    with _listen(address) as listener:
        ready(int(listener.getsockname()[1]))
        patience = time.monotonic() + wait
        while directions < 2:  # noqa: PLR2004 - there and back
            listener.settimeout(max(0.01, (limit if directions else patience) - time.monotonic()))
            try:
                channel, _ = listener.accept()
            except TimeoutError:
                break
            with channel, contextlib.suppress(OSError):
                done = _answer(channel, key, seconds, card_speed(address))
                if done is not None:
                    carried, directions = carried + done, directions + 1
    if not directions:
        raise NetworkError(f"nobody who has the key came to {address} within {wait:g} s")
    return carried


def measure(address: str, port: int, key: str, seconds: float) -> Throughput:
    """Measure to a node that serves. Raises `sal.errors.NetworkError` naming what failed, `sal.errors.SpecError`."""
    _check(address, key, seconds)
    try:
        with _connect(address, port, key, _THERE) as channel:
            theirs = _SPEED.unpack(_exactly(channel, _SPEED.size))[0]
            ours = card_speed(channel.getsockname()[0])
            _send(channel, seconds)
            channel.settimeout(seconds + 2 * SLACK)
            there = Carried(*_TOLD.unpack(_exactly(channel, _TOLD.size)))
        with _connect(address, port, key, _BACK) as channel:
            _exactly(channel, _SPEED.size)
            back = _receive(channel, seconds)
    except OSError as error:
        raise NetworkError(f"the test with {address} port {port} failed: {error}") from error
    return Throughput(there, back, min((one for one in (theirs, ours) if one), default=None))


def card_speed(address: str, root: Path = Path("/")) -> int | None:
    """Return the speed in Mbit/s of the card that has an address, None if it does not tell, as virtual ones."""
    for link in read_links().values():
        if any(ipaddress.ip_interface(one).ip == ipaddress.ip_address(address) for one in link.addresses):
            with contextlib.suppress(OSError, ValueError):
                found = int((root / "sys/class/net" / link.name / "speed").read_text())
                return found if found > 0 else None
    return None


def _check(address: str, key: str, seconds: float) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise SpecError(f"throughput: {error}") from error
    if len(key) != KEY or not key.isascii():
        raise SpecError(f"throughput: a key has {KEY} characters")
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise SpecError(f"throughput: {seconds:g} s is not between {SECONDS[0]:g} and {SECONDS[1]:g}")


def _listen(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, 0), family=family)
    except OSError as error:
        raise NetworkError(f"this node cannot serve at {address}: {error}") from error


def _connect(address: str, port: int, key: str, direction: bytes) -> socket.socket:
    channel = socket.create_connection((address, port), timeout=SLACK)
    channel.sendall(key.encode() + direction)
    return channel


def _answer(channel: socket.socket, key: str, seconds: float, speed: int | None) -> int | None:
    """Serve one direction and return its bytes; None for who does not have the key."""
    channel.settimeout(SLACK)
    said = _exactly(channel, KEY + 1)
    if not secrets.compare_digest(said[:KEY], key.encode()):
        return None
    channel.sendall(_SPEED.pack(speed or 0))
    if said[KEY:] == _BACK:
        return _send(channel, seconds)
    found = _receive(channel, seconds)
    channel.sendall(_TOLD.pack(found.bytes, found.seconds))
    return found.bytes


def _send(channel: socket.socket, seconds: float) -> int:
    """Send for so long, then say that it is all; return the bytes."""
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
    channel.settimeout(seconds + SLACK)
    chunk, sent, end = memoryview(bytes(_CHUNK)), 0, time.monotonic() + seconds
    while time.monotonic() < end and sent < MOST:
        sent += channel.send(chunk)
    channel.shutdown(socket.SHUT_WR)
    return sent


def _receive(channel: socket.socket, seconds: float) -> Carried:
    """Take what comes until it is all, or for so long and what may come late; time begins with the first bytes."""
    buffer = bytearray(_CHUNK)
    channel.settimeout(SLACK)
    channel.recv_into(buffer)  # what comes with it was on its way before the time began: it is not counted
    began = last = time.monotonic()
    count, end = 0, began + seconds + SLACK
    while last < end and count < MOST:
        got = channel.recv_into(buffer)
        if not got:
            break
        count, last = count + got, time.monotonic()
    return Carried(count, last - began)


def _exactly(channel: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = channel.recv(size - len(found))
        if not part:
            raise ConnectionError("the other side ended it")
        found += part
    return found
