"""A certificate authority of one's own: making it, signing requests, and renewing what it has signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from sal import files
from sal.errors import CertificateError
from sal.system.certificates import (
    canonical,
    ensure_private_key,
    facts_of,
    load_certificate,
    load_key,
    make_request,
    named,
    pem,
)

#: What the clocks of two machines may differ by.
_SKEW: Final = dt.timedelta(minutes=5)
_SIGNS: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def ensure_authority(key: Path, certificate: Path, name: str, days: int = 3650) -> list[str]:
    """Make an authority unless its certificate is there; return what was changed.

    Raises `sal.errors.CertificateError` if key and certificate do not belong together, or it is no authority.
    """
    if certificate.exists():
        _belong(_authority(certificate), load_key(key), certificate, key)
        return []
    done = ensure_private_key(key)
    private = load_key(key)
    made = _begun(named(name), named(name), private.public_key(), private.public_key(), days)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    files.write(certificate, pem(made.add_extension(_SIGNS, critical=True).sign(private, hashes.SHA256())))
    return [*done, f"wrote {certificate}"]


def sign_request(request: str, authority_key: Path, authority: Path, days: int = 397) -> str:
    """Return the certificate (PEM) that an authority gives for a request, for servers and clients.

    Of the request only its key, its name and its hosts are taken over. Raises `sal.errors.CertificateError` if it is
    none, or not signed by its own key.
    """
    asked, hosts = _request(request)
    issuer, private = _authority(authority), load_key(authority_key)
    _belong(issuer, private, authority, authority_key)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    made = _begun(asked.subject, issuer.subject, asked.public_key(), private.public_key(), days)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(hosts, critical=False).add_extension(usage, critical=False)
    return pem(made.sign(private, hashes.SHA256()))


def ensure_certificate(
    key: Path,
    certificate: Path,
    hosts: Sequence[str],
    authority_key: Path,
    authority: Path,
    *,
    days: int = 397,
    renew: int = 30,
) -> list[str]:
    """Have a certificate for these hosts, the first of which names it, signed by an authority; return what was changed.

    It is made anew when fewer than ``renew`` days are left, or when hosts, key or authority have become others.
    """
    done = ensure_private_key(key)
    if certificate.exists() and _holds(certificate, load_key(key), hosts, _authority(authority), renew):
        return done
    files.write(certificate, sign_request(make_request(key, hosts), authority_key, authority, days))
    return [*done, f"wrote {certificate}"]


def _holds(file: Path, key: Any, hosts: Sequence[str], authority: x509.Certificate, renew: int) -> bool:
    found = load_certificate(files.read(file))
    try:
        found.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError):
        return False
    facts, ours = facts_of(found), found.public_key() == key.public_key()
    return ours and facts.days_left() >= renew and set(facts.names) == {canonical(one) for one in hosts}


def _request(text: str) -> tuple[x509.CertificateSigningRequest, x509.SubjectAlternativeName]:
    try:
        asked = x509.load_pem_x509_csr(text.encode())
        hosts = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise CertificateError(f"request: {error}") from error
    if not asked.is_signature_valid:
        raise CertificateError("request: not signed by the key that it names")
    return asked, hosts


def _begun(subject: x509.Name, issuer: x509.Name, key: Any, issuer_key: Any, days: int) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return (
        begun.serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _authority(file: Path) -> x509.Certificate:
    found = load_certificate(files.read(file))
    if not facts_of(found).is_authority:
        raise CertificateError(f"certificate {file}: is no authority, so that what it signs is worth nothing")
    return found


def _belong(certificate: x509.Certificate, key: Any, file: Path, key_file: Path) -> None:
    if certificate.public_key() != key.public_key():
        raise CertificateError(f"certificate {file}: does not belong to the key {key_file}")
