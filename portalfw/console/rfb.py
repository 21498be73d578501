"""What a browser says to a screen (RFC 6143 and its registered additions): cut into messages, and sifted.

Who may only look must not press keys, and that is decided here, where no script of a browser's has a say. Whatever is
not known is refused: nothing else is needed, and each message's length must be known to find the next.
"""

from __future__ import annotations

import struct
import time
from typing import Final

VERSION_LENGTH: Final = 12
NO_PASSWORD: Final = 1  # security type None: the screen trusts whoever is handed its socket
SHARED: Final = b"\x01"  # ClientInit: leave those who look already
LONGEST: Final = 256 * 1024
"""Bytes of one message: only pasted text can be long."""

SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY, POINTER, CUT_TEXT = 0, 2, 3, 4, 5, 6
CONTINUOUS_UPDATES, FENCE, DESKTOP_SIZE, QEMU = 150, 248, 251, 255
FIXED: Final = {SET_PIXEL_FORMAT: 20, UPDATE_REQUEST: 10, KEY: 8, POINTER: 6, CONTINUOUS_UPDATES: 10}
#: Messages with a count: bytes before the rest, where the count stands, its form, and the bytes that each item takes.
COUNTED: Final = {
    SET_ENCODINGS: (4, 2, ">H", 4),
    CUT_TEXT: (8, 4, ">i", 1),
    FENCE: (9, 8, ">B", 1),
    DESKTOP_SIZE: (8, 6, ">B", 16),
}
QEMU_KEY: Final = 0
QEMU_KEY_LENGTH: Final = 12
INPUT: Final = frozenset({KEY, POINTER, CUT_TEXT, DESKTOP_SIZE, QEMU})


class ScreenProtocolError(ValueError):
    """A browser said something that no client of a screen says."""


class ClientMessages:
    """The messages of one client; ``touched`` is when a person last caused one, by the monotonic clock."""

    def __init__(self, *, typing: bool) -> None:
        """Let keys and pointer through only with ``typing``."""
        self._typing = typing
        self._rest = b""
        self._greetings = [self._version, self._security, self._shared]
        self.touched = time.monotonic()

    def sift(self, data: bytes) -> bytes:
        """Take what has come and return what may go on to the screen, in whole messages.

        :raises ScreenProtocolError: for what is not known, or too long.
        """
        self._rest += data
        passed = []
        while (length := self._length()) is not None and len(self._rest) >= length:
            message, self._rest = self._rest[:length], self._rest[length:]
            if self._greetings:
                passed.append(self._greetings.pop(0)(message))
            elif self._may_pass(message):
                passed.append(message)
        return b"".join(passed)

    def _may_pass(self, message: bytes) -> bool:
        if message[0] not in INPUT:
            return True
        self.touched = time.monotonic()
        return self._typing

    def _length(self) -> int | None:
        """Return the length of the message that begins here; None if that cannot be told yet."""
        if self._greetings:
            return VERSION_LENGTH if self._greetings[0] == self._version else 1
        if not self._rest:
            return None
        kind = self._rest[0]
        if kind in FIXED:
            return FIXED[kind]
        if kind == QEMU:
            return self._qemu_length()
        if kind not in COUNTED:
            raise ScreenProtocolError(f"message type {kind}")
        head, place, form, size = COUNTED[kind]
        if len(self._rest) < head:
            return None
        length: int = head + size * abs(struct.unpack_from(form, self._rest, place)[0])  # below 0: extended clipboard
        if length > LONGEST:
            raise ScreenProtocolError(f"{length} bytes in one message")
        return length

    def _qemu_length(self) -> int | None:
        if len(self._rest) > 1 and self._rest[1] != QEMU_KEY:
            raise ScreenProtocolError(f"QEMU message type {self._rest[1]}")
        return QEMU_KEY_LENGTH

    @staticmethod
    def _version(message: bytes) -> bytes:
        if not message.startswith(b"RFB 003."):
            raise ScreenProtocolError("no version of the protocol")
        return message

    @staticmethod
    def _security(message: bytes) -> bytes:
        if message[0] != NO_PASSWORD:
            raise ScreenProtocolError(f"security type {message[0]}")
        return message

    @staticmethod
    def _shared(message: bytes) -> bytes:
        del message
        return SHARED
