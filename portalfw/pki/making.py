"""Making keys and certificates: an authority that signs, and what it signs for a portal."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from portalfw.errors import InvalidError

AUTHORITY_DAYS: Final = 3650
PORTAL_DAYS: Final = 397
"""What browsers take at most of a certificate for a server (CA/Browser Forum, ballot SC31)."""

USES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)

EARLIER: Final = dt.timedelta(hours=1)
"""A certificate is good from before it was made, for machines whose clocks are late."""

LONGEST_NAME: Final = 64
"""Characters of a common name (X.520); the whole names stand among the alternative ones."""


@dataclass(frozen=True)
class Signer:
    """An authority: its certificate, and the key with which it signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_authority(name: str, days: int = AUTHORITY_DAYS) -> Signer:
    """Make an authority, good for so many days, that signs for servers only and for no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    builder = _builder(subject, subject, key, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return Signer(builder.sign(key, hashes.SHA256()), key)


def new_certificate(
    signer: Signer, names: Iterable[str], days: int = PORTAL_DAYS
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a key and a certificate of a server for these names and addresses, good for so many days.

    :raises InvalidError: for something that is neither a host's name nor an address.
    """
    wanted = [_general_name(name) for name in dict.fromkeys(names)]
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_named(str(wanted[0].value)), signer.certificate.subject, key, days)
    builder = builder.add_extension(x509.SubjectAlternativeName(wanted), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage("digital_signature"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    return builder.add_extension(issuer, critical=False).sign(signer.key, hashes.SHA256()), key


def pin(certificate: x509.Certificate) -> str:
    """Return ``sha256:`` and the hash of a certificate's public key (its SubjectPublicKeyInfo, DER), hexadecimal."""
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(certificate.public_key().public_bytes(*form)).hexdigest()


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that a certificate is for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(one.value) for one in found]


def pem(*what: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    """Return certificates and keys as one PEM text."""
    return b"".join(_pem(one) for one in what)


def _pem(what: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    if isinstance(what, x509.Certificate):
        return what.public_bytes(serialization.Encoding.PEM)
    return what.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - EARLIER).not_valid_after(now + dt.timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_NAME])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    host = name.removeprefix("*.")
    if not host.isascii() or not all(part.replace("-", "").isalnum() for part in host.split(".")):
        raise InvalidError(f"{name!r} is neither the name of a host nor an address.")
    return x509.DNSName(name.lower())


def _usage(*what: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{kind: kind in what for kind in USES})
