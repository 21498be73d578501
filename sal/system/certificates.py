"""Keys and certificates (X.509): reading them, making keys, and requests for certificates.

Keys are of the curve P-256, in PKCS #8, readable by their owner only. `sal.system.authority` signs.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sal import files
from sal.errors import CertificateError

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate: common names of subject and issuer, what hosts it is for, and how long it holds (UTC)."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    serial: str
    begins: dt.datetime
    ends: dt.datetime
    is_authority: bool
    fingerprint: str

    def days_left(self, now: dt.datetime | None = None) -> float:
        """Return for how many days it holds still; less than 0 if it has expired."""
        return (self.ends - (now or dt.datetime.now(dt.UTC))) / _DAY


def read_certificate(file: Path) -> Certificate | None:
    """Return the first certificate of a PEM file, None if there is no such file.

    Raises `sal.errors.CertificateError` for a file that holds none.
    """
    return parse_certificate(files.read(file)) if file.exists() else None


def parse_certificate(text: str) -> Certificate:
    """Read the first certificate of a text in PEM."""
    return facts_of(load_certificate(text))


def ensure_private_key(file: Path) -> list[str]:
    """Make a private key unless it is there; return what was changed."""
    if file.exists():
        return []
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files.write(file, key.private_bytes(encoding, form, serialization.NoEncryption()).decode(), 0o600)
    return [f"wrote {file}"]


def make_request(key: Path, hosts: Sequence[str]) -> str:
    """Return a request (PKCS #10, PEM) for a certificate of a key that is there, named after the first host."""
    names = x509.SubjectAlternativeName([_host(name) for name in hosts])
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(hosts[0]))
    return pem(builder.add_extension(names, critical=False).sign(load_key(key), hashes.SHA256()))


def load_certificate(text: str) -> x509.Certificate:
    """Return the certificate of a text in PEM; raises `sal.errors.CertificateError`."""
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise CertificateError(f"certificate: {error}") from error


def load_key(file: Path) -> Any:
    """Return a private key; raises `sal.errors.CertificateError` if the file holds none, or has a passphrase."""
    try:
        return serialization.load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise CertificateError(f"key {file}: {error}") from error


def facts_of(found: x509.Certificate) -> Certificate:
    """Return the facts of a certificate."""
    hosts: list[Any] = []
    authority = False
    for one in found.extensions:
        if isinstance(one.value, x509.SubjectAlternativeName):
            hosts = list(one.value)
        elif isinstance(one.value, x509.BasicConstraints):
            authority = one.value.ca
    return Certificate(
        subject=_common_name(found.subject),
        issuer=_common_name(found.issuer),
        names=tuple(str(one.value) for one in hosts),
        serial=f"{found.serial_number:x}",
        begins=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
        is_authority=authority,
        fingerprint=found.fingerprint(hashes.SHA256()).hex(),
    )


def canonical(host: str) -> str:
    """Return a host as certificates tell it: an IPv6 address in its shortest form."""
    return str(_host(host).value)


def named(name: str) -> x509.Name:
    """Return a subject that has a common name only."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(one: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Return a certificate or request as text."""
    return one.public_bytes(serialization.Encoding.PEM).decode()


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _common_name(name: x509.Name) -> str:
    return next((str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")
