"""SSH keys: who may sign in with which key, and the node's own key pairs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from sal import files
from sal.errors import SpecError

#: The kinds that OpenSSH takes; DSA it no longer does.
KINDS: Final = frozenset(
    (
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    )
)
#: A word of a line, in which blanks count for nothing between double quotes.
_WORD: Final = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+')


@dataclass(frozen=True)
class Key:
    """A public key: ``kind`` and the key in base64, what it is restricted to, and what people call it."""

    kind: str
    key: str
    comment: str = ""
    options: str = ""

    @property
    def fingerprint(self) -> str:
        """The key's digest as ``ssh-keygen -l`` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    @property
    def line(self) -> str:
        """The key as a line of ``authorized_keys``."""
        return " ".join(filter(None, (self.options, self.kind, self.key, self.comment)))


def read_keys(file: Path) -> list[Key]:
    """Return the keys of an ``authorized_keys``, or of a ``.pub``; none if there is no such file."""
    return parse_keys(files.read(file))


def parse_keys(text: str) -> list[Key]:
    """Read sshd(8)'s AUTHORIZED_KEYS format; lines that are no key are left out."""
    return [key for line in text.splitlines() if (key := _key(line))]


def checked(line: str) -> Key:
    """Return the key of one line; raise `sal.errors.SpecError` if it is none."""
    found = _key(line)
    if found is None or "\n" in line.strip():
        raise SpecError(f"SSH key {line[:40]!r}: not a public key as in authorized_keys (sshd(8))")
    return found


def ensure_authorized(file: Path, key: str, owner: tuple[int, int] | None = None) -> list[str]:
    """Let a key sign in; return what was changed. Other lines stay; options and comment become those of ``key``.

    Params: ``file`` somebody's ``.ssh/authorized_keys``; ``key`` a line as in it; ``owner`` user and group id, for
    whom a new folder is made so that sshd accepts it (0700, the file 0600).
    """
    wanted, done = checked(key), []
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700)
        _give(file.parent, owner)
        done.append(f"made {file.parent}")
    new = not file.exists()
    if files.edit(file, partial(with_key, key=wanted), 0o600):
        done.append(f"wrote {file}")
    if new:
        _give(file, owner)
    return done


def remove_authorized(file: Path, key: str) -> list[str]:
    """Let a key no longer sign in, whatever its options and comment; return what was changed."""
    unwanted = checked(key)
    if not file.exists():
        return []
    return [f"wrote {file}"] if files.edit(file, partial(without_keys, keys=[unwanted])) else []


def ensure_key_pair(file: Path, comment: str = "") -> list[str]:
    """Make an Ed25519 key pair, ``file`` and ``file.pub``, unless it is there; return what was changed.

    The private key has no passphrase and can be read by its owner only.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public, done = file.with_name(f"{file.name}.pub"), []
    if not file.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        files.write(file, pem.decode(), 0o600)
        done.append(f"wrote {file}")
    if done or not public.exists():
        private = serialization.load_ssh_private_key(file.read_bytes(), None)
        line = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        ).decode()  # fmt: skip
        files.write(public, f"{line} {comment}".rstrip() + "\n")
        done.append(f"wrote {public}")
    return done


def with_key(text: str, key: Key) -> str:
    """Return an ``authorized_keys`` with a key, in the place where it stood."""
    lines = text.splitlines()
    places = [number for number, line in enumerate(lines) if (one := _key(line)) and one.key == key.key]
    if places:
        lines[places[0]] = key.line
        lines = [line for number, line in enumerate(lines) if number not in places[1:]]
    else:
        lines.append(key.line)
    return "".join(f"{line}\n" for line in lines)


def without_keys(text: str, keys: Sequence[Key]) -> str:
    """Return an ``authorized_keys`` without some keys."""
    unwanted = {one.key for one in keys}
    kept = (line for line in text.splitlines(keepends=True) if not ((one := _key(line)) and one.key in unwanted))
    return "".join(kept)


def _give(path: Path, owner: tuple[int, int] | None) -> None:
    if owner:
        os.chown(path, *owner)


def _key(line: str) -> Key | None:
    words = list(_WORD.finditer(line.strip()))
    if not words or line.lstrip().startswith("#"):
        return None
    options = "" if words[0][0] in KINDS else words[0][0]
    rest = words[1:] if options else words
    if len(rest) < 2 or rest[0][0] not in KINDS or not _belongs(rest[0][0], rest[1][0]):  # noqa: PLR2004 - kind and key
        return None
    return Key(rest[0][0], rest[1][0], line.strip()[rest[1].end() :].strip(), options)


def _belongs(kind: str, key: str) -> bool:
    """Tell whether a key is of its kind: it begins with the kind's name and length."""
    try:
        return base64.b64decode(key, validate=True)[4 : 4 + len(kind)] == kind.encode()
    except binascii.Error:
        return False
