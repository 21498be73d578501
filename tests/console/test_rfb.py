"""What a browser says to a screen: cut rightly whatever the pieces, and sifted by right."""

from __future__ import annotations

import struct
from itertools import zip_longest

import pytest

from portalfw.console.rfb import LONGEST, ClientMessages, ScreenProtocolError

VERSION, NO_PASSWORD, ALONE, SHARED = b"RFB 003.008\n", b"\x01", b"\x00", b"\x01"
PIXELS = b"\x00" + bytes(19)
ENCODINGS = struct.pack(">BxH", 2, 3) + bytes(12)
LOOK = struct.pack(">BBHHHH", 3, 1, 0, 0, 8, 8)
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
POINTER = struct.pack(">BBHH", 5, 1, 3, 4)
PASTED = struct.pack(">Bxxxi", 6, 5) + b"hello"
EXTENDED_PASTE = struct.pack(">Bxxxi", 6, -4) + b"abcd"
CONTINUOUS = b"\x96" + bytes(9)
FENCE = b"\xf8" + bytes(7) + b"\x02ab"
SIZE = b"\xfb" + bytes(5) + b"\x01\x00" + bytes(16)
QEMU_KEY = b"\xff\x00" + bytes(10)
LOOKING = [PIXELS, ENCODINGS, LOOK, CONTINUOUS, FENCE]
TOUCHING = [KEY, POINTER, PASTED, EXTENDED_PASTE, SIZE, QEMU_KEY]


@pytest.mark.parametrize("piece", [1, 3, 7, 1000])
@pytest.mark.parametrize("typing", [True, False])
def test_messages(piece: int, typing: bool) -> None:
    """Looking passes for everybody, touching for who may type; nobody sends others away."""
    mixed = [one for pair in zip_longest(LOOKING, TOUCHING, fillvalue=b"") for one in pair]
    said = VERSION + NO_PASSWORD + ALONE + b"".join(mixed)
    client = ClientMessages(typing=typing)
    passed = b"".join(client.sift(said[at : at + piece]) for at in range(0, len(said), piece))
    greeting = VERSION + NO_PASSWORD + SHARED
    assert passed == greeting + b"".join(mixed if typing else LOOKING)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1",
        VERSION + b"\x02",
        VERSION + NO_PASSWORD + SHARED + b"\xfa\x00\x01\x02",
        VERSION + NO_PASSWORD + SHARED + b"\xff\x01\x00\x00",
        VERSION + NO_PASSWORD + SHARED + struct.pack(">Bxxxi", 6, LONGEST),
    ],
)
def test_nonsense(said: bytes) -> None:
    """What no client of a screen says, or more than one ever says at once, is refused."""
    with pytest.raises(ScreenProtocolError):
        ClientMessages(typing=True).sift(said)
