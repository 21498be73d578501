"""Whom the agent takes for its controller: by the usual authorities, or by a private one that it knows by its pin.

A node is told the hash of the private authority's public key, its *pin*, with the join token. At its first contact it
asks the controller for the authority's certificate, and keeps that if it has the pin; what it asks in this way is
public, and until the pin was found good nothing secret is sent. From then on it trusts only what lies in that file.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import ssl
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from agent import whole_file
from agent.errors import AwayError, SettingsError, UntrustedError

TIMEOUT: Final = 10.0
LARGEST: Final = 256 * 1024
"""Bytes that the certificates of authorities may take."""

PIN: Final = re.compile(r"sha256:[0-9a-f]{64}")

EXPIRED: Final = {9, 10}  # numbers of X509_V_ERR_… (openssl/x509_vfy.h): not valid yet, or not any more
OTHER_NAME: Final = {62, 64}


def authority_file(folder: Path) -> Path:
    """Return where the certificates of the private authorities lie, beside the credential."""
    return folder / "authority.pem"


def trusted(authority: Path | None) -> str | bool:
    """Return what requests verify by: the pinned authorities, else those that an operator names, else the usual."""
    if authority is not None and authority.exists():
        return str(authority)
    return os.environ.get("REQUESTS_CA_BUNDLE") or True


def context(authority: Path | None) -> ssl.SSLContext:
    """Return the same for what is not asked by requests."""
    found = trusted(authority)
    path = Path(DEFAULT_CA_BUNDLE_PATH if found is True else str(found))
    if path.is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def split_token(text: str) -> tuple[str, str | None]:
    """Return a join token without the pin that it may carry behind a dot, and that pin."""
    token, _, pin = text.strip().partition(".")
    return token, check_pin(pin) if pin else None


def check_pin(pin: str) -> str:
    """Return a pin in its usual form; raises SettingsError if it has another."""
    if not PIN.fullmatch(pin.lower()):
        raise SettingsError(f"{pin[:80]!r} is no pin: it must be sha256: and 64 hexadecimal digits (portalfw pki show)")
    return pin.lower()


def is_pinned(folder: Path, pin: str) -> bool:
    """Tell whether an authority with this pin is trusted already."""
    file = authority_file(folder)
    return file.exists() and bool(_with_pin(file.read_text(encoding="ascii"), pin))


def trust_by_pin(url: str, pin: str, folder: Path) -> None:
    """Ask the controller for its private authority, check the pin, and keep the certificate.

    Raises:
        UntrustedError: the controller's authority has another pin, or it has none.
        AwayError: the controller cannot be reached.

    """
    found = _with_pin(_told(url), pin)
    if not found:
        raise UntrustedError(
            f"the authority of {url} does not have the pin {pin}: either this is another server than you think, or the "
            "pin is old; compare it with what `portalfw pki show` tells there, and make a new join token"
        )
    store(folder, found)


def adopt(url: str, told: str, folder: Path) -> bool:
    """Trust the authorities that a trusted controller tells in the place of those that it was trusted by.

    Only a node that has pinned an authority does; and not if the controller itself could not be trusted by them.

    Returns:
        whether something has changed.

    Raises:
        UntrustedError: the controller's certificate is not signed by any of them.
        AwayError: it cannot be reached any more.

    """
    file = authority_file(folder)
    if not told or not file.exists() or file.read_text(encoding="ascii") == told:
        return False
    handle, name = tempfile.mkstemp(dir=folder, prefix="authority-")
    os.close(handle)
    probe = Path(name)
    try:
        probe.write_text(told, encoding="ascii")
        _probe(url, probe)
    finally:
        probe.unlink()
    store(folder, told)
    return True


def store(folder: Path, certificates: str) -> None:
    """Keep the authorities' certificates so that they are there wholly or not at all."""
    whole_file.write(authority_file(folder), certificates.encode("ascii"), durable=True)


def distrust(url: str, error: BaseException) -> UntrustedError:
    """Return what a failed handshake with the controller means, and what to do about it."""
    failed = _verification(error)
    host = urlsplit(url).hostname
    if failed is None:
        return UntrustedError(f"{url} does not speak TLS as it should: {error}")
    if failed.verify_code in EXPIRED:
        text = "its certificate has expired, or is not valid yet; renew it there (portalfw pki renew), or set the clock"
    elif failed.verify_code in OTHER_NAME:
        text = f"its certificate is not for {host}; name it as the certificate does, or renew that with this name too "
        text += f"(portalfw pki renew {host} …)"
    else:
        text = f"its certificate is not from an authority that this node trusts ({failed.verify_message}); give "
        text += "the pin of its private one (--ca-pin, see portalfw pki show), or name its file in REQUESTS_CA_BUNDLE"
    return UntrustedError(f"controller {url} is not trusted: {text}")


def _verification(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Find why a certificate was refused, within what requests and urllib3 have wrapped around it."""
    seen: list[object] = [error]
    for one in seen:
        if isinstance(one, ssl.SSLCertVerificationError):
            return one
        if isinstance(one, BaseException):
            inner = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
            seen.extend(found for found in inner if isinstance(found, BaseException) and found not in seen)
    return None


def _told(url: str) -> str:
    """Ask for the authorities; whoever answers is not believed before the pin was found good."""
    parts = urlsplit(url)
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=anybody)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/agent/authority")
        answer = connection.getresponse()
        text = answer.read(LARGEST).decode("ascii", "replace")
    except ssl.SSLError as error:
        raise distrust(url, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise AwayError(f"controller {url} cannot be reached: {error}") from error
    finally:
        connection.close()
    if answer.status == requests.codes.not_found:
        raise UntrustedError(
            f"controller {url} tells no private authority, so the pin is good for nothing; set tls_authority there, or "
            "leave the pin out if its certificate is from a public authority"
        )
    if answer.status != requests.codes.ok:
        raise AwayError(f"controller {url} answered {answer.status} when asked for its authority")
    return text


def _probe(url: str, authorities: Path) -> None:
    try:
        requests.get(f"{url}/agent/authority", verify=str(authorities), timeout=TIMEOUT).close()
    except requests.exceptions.SSLError as error:
        raise distrust(url, error) from error
    except requests.RequestException as error:
        raise AwayError(f"controller {url} cannot be reached: {error}") from error


def _with_pin(text: str, pin: str) -> str:
    """Return the certificates of a PEM text whose public key has this hash."""
    from cryptography import x509  # only who enters needs it: 8 MB of memory
    from cryptography.hazmat.primitives import serialization

    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return ""
    same = [one for one in found if hashlib.sha256(one.public_key().public_bytes(*form)).hexdigest() == pin[7:]]
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in same)
