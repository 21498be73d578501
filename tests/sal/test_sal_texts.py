"""Hosts file, SSH keys and certificates: real files in temporary folders, judged by the tools that use them."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from sal import files
from sal.command import run
from sal.errors import CertificateError, SpecError
from sal.system.authority import ensure_authority, ensure_certificate, sign_request
from sal.system.certificates import ensure_private_key, make_request, read_certificate
from sal.system.hosts_file import ensure_host, read_hosts, remove_host
from sal.system.ssh_keys import checked, ensure_authorized, ensure_key_pair, read_keys, remove_authorized

HOSTS = "# by hand\n127.0.0.1\tlocalhost node1 # this one\n::1 localhost\n\nnonsense\n10.0.0.5 old db\n"


def test_hosts(tmp_path: Path) -> None:
    """A name means one address; what is written by hand stays, and so does the file's mode."""
    file = tmp_path / "hosts"
    assert [remove_host("db", file), file.exists()] == [[], False]
    file.write_text(HOSTS)
    file.chmod(0o604)
    assert [len(ensure_host("10.0.0.6", ["db", "db.example"], file)), ensure_host("10.0.0.6", ["db"], file)] == [1, []]
    assert file.read_text() == HOSTS.replace("old db", "old") + "10.0.0.6\tdb db.example\n"
    assert len(ensure_host("127.0.0.1", ["old"], file)) == 1
    assert "127.0.0.1\tlocalhost node1 old # this one\n" in file.read_text()
    assert "10.0.0.5" not in file.read_text()
    assert len(ensure_host("::1", ["db"], file)) == 1  # of IPv4 it stays what it is
    assert len(ensure_host("10.0.0.7", ["db"], file)) == 1
    assert [host.address for host in read_hosts(file) if "db" in host.names] == ["::1", "10.0.0.7"]
    assert [len(remove_host("db", file)), remove_host("db", file)] == [1, []]
    assert file.stat().st_mode & 0o777 == 0o604
    for address, name in (("10.0.0.6", "a b"), ("10.0.0.6", "a\n10.0.0.7"), ("10.0.0", "a"), ("10.0.0.6", "-a")):
        with pytest.raises(SpecError, match="hosts file"):
            ensure_host(address, [name], file)


_MANY = """
import sys
from pathlib import Path
from sal.system.hosts_file import ensure_host
for number in range(25):
    ensure_host(f"10.1.{sys.argv[2]}.{number}", [f"h{sys.argv[2]}-{number}"], Path(sys.argv[1]))
"""


def test_nobodys_change_is_lost(tmp_path: Path) -> None:
    """Four processes that edit one file at once lose none of their changes, and leave nothing else behind."""
    file = tmp_path / "hosts"
    workers = [subprocess.Popen([sys.executable, "-c", _MANY, str(file), str(number)]) for number in range(4)]
    assert [one.wait(60) for one in workers] == [0] * 4
    assert len(read_hosts(file)) == 100
    assert list(tmp_path.iterdir()) == [file]


def test_link_and_foreign_bytes(tmp_path: Path) -> None:
    """A link stays one, and what is no UTF-8 or ends its lines otherwise stays as it is."""
    (tmp_path / "real").write_bytes(b"# caf\xe9\r\n")
    (tmp_path / "link").symlink_to("real")
    assert ensure_host("10.0.0.1", ["a"], tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes().startswith(b"# caf\xe9")


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: mounts need it")
def test_mount_point(tmp_path: Path) -> None:
    """A file that is a mount point, as /etc/hosts in a container, is written in place."""
    for name in ("inside", "outside"):
        (tmp_path / name).touch()
    run(["mount", "--bind", str(tmp_path / "outside"), str(tmp_path / "inside")])
    try:
        assert files.write(tmp_path / "inside", "text")
        assert not files.write(tmp_path / "inside", "text")
    finally:
        run(["umount", str(tmp_path / "inside")])
    assert (tmp_path / "outside").read_text() == "text"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="NO SSH-KEYGEN: apt-get install openssh-client")
def test_ssh_keys(tmp_path: Path) -> None:
    """A key pair is made once, its key lets in once, with other options still once, and no longer when removed."""
    pair, file = tmp_path / "id", tmp_path / ".ssh" / "authorized_keys"
    assert [len(ensure_key_pair(pair, "ann@node1")), ensure_key_pair(pair, "ann@node1")] == [2, []]
    assert pair.stat().st_mode & 0o777 == 0o600
    (key,) = read_keys(pair.with_name("id.pub"))
    assert run(["ssh-keygen", "-l", "-f", str(pair)]).split()[1:3] == [key.fingerprint, "ann@node1"]
    assert run(["ssh-keygen", "-y", "-f", str(pair)]).split()[1] == key.key
    assert [len(ensure_authorized(file, key.line)), ensure_authorized(file, key.line)] == [2, []]
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    file.write_text(f"# by hand\n{file.read_text()}")
    restricted = f'command="echo \\"no way\\"",no-pty {key.kind} {key.key} ann'
    assert [len(ensure_authorized(file, restricted)), ensure_authorized(file, restricted)] == [1, []]
    assert file.read_text() == f"# by hand\n{restricted}\n"
    assert run(["ssh-keygen", "-l", "-f", str(file)]).split()[1] == key.fingerprint
    assert [len(remove_authorized(file, key.line)), remove_authorized(file, key.line)] == [1, []]
    assert file.read_text() == "# by hand\n"
    with pytest.raises(SpecError, match="not a public key"):
        ensure_authorized(file, f"ssh-rsa {key.key}")
    assert checked(restricted).options == 'command="echo \\"no way\\"",no-pty'


def test_certificates(tmp_path: Path) -> None:
    """An authority and a certificate are made once and serve TLS; the certificate is renewed when it has to be."""
    ca_key, ca, key, file = (tmp_path / name for name in ("ca.key", "ca.pem", "node.key", "node.pem"))
    assert [len(ensure_authority(ca_key, ca, "Test CA")), ensure_authority(ca_key, ca, "Test CA")] == [2, []]
    hosts = ["localhost", "127.0.0.1", "::1"]
    ensure = partial(ensure_certificate, key, file, authority_key=ca_key, authority=ca)
    assert [len(ensure(hosts)), ensure(hosts)] == [2, []]
    assert {path.stat().st_mode & 0o777 for path in (ca_key, key)} == {0o600}
    found = read_certificate(file)
    assert found is not None
    assert (found.subject, found.issuer, set(found.names)) == ("localhost", "Test CA", set(hosts))
    assert 396 < found.days_left() < 397
    assert not found.is_authority
    assert spoken(key, file, ca) == found.fingerprint
    if shutil.which("openssl"):
        run(["openssl", "verify", "-x509_strict", "-CAfile", str(ca), str(file)])
    assert len(ensure(["localhost"])) == 1  # other hosts
    assert len(ensure(["localhost"], renew=500)) == 1  # too few days left
    key.unlink()
    assert len(ensure(["localhost"])) == 2  # another key
    assert read_certificate(tmp_path / "none") is None


def spoken(key: Path, certificate: Path, authority: Path) -> str:
    """Return the digest of the certificate that a client, who trusts the authority, is shown by a server."""
    import hashlib

    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(authority))
    serving.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: serving.wrap_socket(server.accept()[0], server_side=True).close())
        thread.start()
        with (
            socket.create_connection(server.getsockname(), 9) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            shown = client.getpeercert(binary_form=True)
        thread.join(9)
    assert shown is not None
    return hashlib.sha256(shown).hexdigest()


def test_certificates_refused(tmp_path: Path) -> None:
    """What is no authority, no request, or another's key is refused by name."""
    ca_key, ca, key, file, other = (tmp_path / name for name in ("ca.key", "ca.pem", "node.key", "node.pem", "x.key"))
    ensure_authority(ca_key, ca, "Test CA")
    ensure_certificate(key, file, ["a.example"], ca_key, ca)
    ensure_private_key(other)
    with pytest.raises(CertificateError, match=r"node.pem: is no authority"):
        sign_request(make_request(other, ["b.example"]), key, file)
    with pytest.raises(CertificateError, match=r"ca.pem: does not belong to the key .*x.key"):
        ensure_authority(other, ca, "Test CA")
    with pytest.raises(CertificateError, match="request:"):
        sign_request("nonsense", ca_key, ca)
    (tmp_path / "bad.pem").write_text("nonsense")
    with pytest.raises(CertificateError, match="certificate:"):
        read_certificate(tmp_path / "bad.pem")
    if shutil.which("openssl"):
        subprocess.run(
            ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", other], check=True, timeout=30
        )
        with pytest.raises(CertificateError, match=r"key .*x.key"):
            make_request(other, ["a.example"])
