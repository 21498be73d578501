"""A small real reverse proxy: it ends TLS, says by X-Forwarded-… for whom it asks, and passes bytes on as they come."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent import socket
from gevent.server import StreamServer


def self_signed(path: Path) -> Path:
    """Write a certificate for loopback, which signs itself, and its key into one PEM file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate + key.private_bytes(*form))
    return path


def shown(port: int) -> bytes:
    """Return the certificate (DER) that a port of loopback shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw) as wrapped:
        return wrapped.getpeercert(binary_form=True) or b""


@contextmanager
def reverse_proxy(backend: int, certificate: Path, *, at: str) -> Iterator[int]:
    """Run a proxy before the port ``backend`` of loopback, which it calls from the address ``at``; give its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def handle(client: Any, address: tuple[str, int]) -> None:
        asked = client.makefile("rb")
        head = list(iter(asked.readline, b"\r\n"))
        if not head:
            return
        told = [line for line in head[1:] if not line.lower().startswith((b"connection:", b"x-forwarded-proto:"))]
        told += [b"X-Forwarded-For: %b\r\n" % address[0].encode(), b"X-Forwarded-Proto: https\r\n"]
        length = next((int(line.partition(b":")[2]) for line in head if line.lower().startswith(b"content-length:")), 0)
        with closing(socket.create_connection(("127.0.0.1", backend), source_address=(at, 0))) as ahead:
            ahead.sendall(b"".join([head[0], *told, b"Connection: close\r\n\r\n", asked.read(length)]))
            while chunk := ahead.recv(65536):
                client.sendall(chunk)

    server = StreamServer(("127.0.0.1", 0), handle, ssl_context=context)
    server.start()
    try:
        yield int(server.server_port)
    finally:
        server.stop()
