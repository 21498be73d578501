"""A private authority: made and renewed by a command, trusted by agents through its pin, over real TLS."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from product import COMMAND, Product, _environment, run, running, wait_for
from reverse_proxy import shown

from agent.jumpscript import Surroundings
from agent.tunnel import TunnelError, carry
from portalfw.pki.folder import PkiFolder
from portalfw.pki.making import new_authority, new_certificate, pem

pytestmark = pytest.mark.timeout(180)


@dataclass
class Secured:
    """A product with a certificate of a private authority, for the name localhost only."""

    product: Product
    folder: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.product.port}"

    def token(self) -> str:
        """Return a join token, got as operators get it."""
        environment = {"PORTALFW_TOKEN": self.product.token, "PORTALFW_URL": self.url}
        done = run("node", "token", REQUESTS_CA_BUNDLE=str(self.folder / "ca.pem"), **environment)
        assert done.returncode == 0, done.stderr
        assert f"agent install --controller {self.url}" in done.stderr
        return done.stdout.strip()

    def ask(self, address: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.product.token}"}
        url = f"{self.url}/restmachine/{address}"
        answer = requests.post(url, json=given, headers=headers, timeout=30, verify=str(self.folder / "ca.pem"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pki(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = run("pki", "--folder", str(self.folder), *words)
        assert done.returncode == 0, done.stderr
        return done

    def serve(self, content: bytes) -> None:
        """Have the portal show another certificate, and wait until it does."""
        beside = self.folder / "next"
        beside.write_bytes(content)
        beside.replace(self.folder / "portal.pem")
        self.wait_until_served(content)

    def wait_until_served(self, content: bytes) -> None:
        wanted = x509.load_pem_x509_certificate(content).public_bytes(serialization.Encoding.DER)
        wait_for(lambda: shown(self.product.port) == wanted, what="the new certificate")


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    folder = Path(tempfile.mkdtemp(prefix="pfw-pki-", dir="/tmp"))
    made = run("pki", "--folder", str(folder), "init", "localhost")
    assert made.returncode == 0, made.stderr
    settings = dict(line.split(" = ") for line in made.stdout.splitlines() if " = " in line)
    environment = {f"PORTALFW_{name.upper()}": json.loads(value) for name, value in settings.items()}
    with running("--hypervisor", "test", **environment) as product:
        yield Secured(product, folder)
    shutil.rmtree(folder)


@contextlib.contextmanager
def agent(url: str, state: Path, *words: str) -> Iterator[Path]:
    """Run an agent that nobody has told of any authority; give its log."""
    log = state.parent / f"{state.name}.log"
    command = [*COMMAND, "agent", "--controller", url, "--state", str(state), "--hypervisor", "test", *words]
    environment = _environment({"REQUESTS_CA_BUNDLE": ""})
    with log.open("ab") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as started:
        try:
            yield log
        finally:
            started.terminate()


def refused(url: str, state: Path, *words: str) -> str:
    """Return the last line of an agent that must not enter."""
    command = [*COMMAND, "agent", "--controller", url, "--state", str(state), "--hypervisor", "test", *words]
    done = subprocess.run(
        command, env=_environment({"REQUESTS_CA_BUNDLE": ""}), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert not (state / "agent" / "credential").exists()
    return done.stderr.strip().splitlines()[-1]


def authorities(state: Path) -> int:
    file = state / "agent" / "authority.pem"
    return file.read_text().count("BEGIN CERTIFICATE") if file.exists() else 0


def test_files_of_an_authority(tmp_path: Path) -> None:
    """Keys are their owner's only; nothing is replaced without --force; renewing keeps names, and the authority."""
    folder = tmp_path / "pki"
    command = ("pki", "--folder", str(folder))
    assert run(*command, "init", "cloud.example.org", "10.0.0.5", "::1").returncode == 0
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600, "portal.pem": 0o600}
    first = json.loads(run(*command, "show", "--json").stdout)
    assert first["names"] == ["cloud.example.org", "10.0.0.5", "::1"]
    again = run(*command, "init", "cloud.example.org")
    assert again.returncode == 1
    assert "--force" in again.stderr
    before = (folder / "portal.pem").read_bytes()
    assert run(*command, "renew").returncode == 0
    second = json.loads(run(*command, "show", "--json").stdout)
    assert (second["names"], second["pin"]) == (first["names"], first["pin"])
    assert (folder / "portal.pem").read_bytes() != before
    assert run(*command, "renew", "other.example.org").returncode == 0
    assert json.loads(run(*command, "show", "--json").stdout)["names"] == ["other.example.org"]
    assert "neither the name" in run(*command, "renew", "a b").stderr
    assert run(*command, "init", "cloud.example.org", "--force").returncode == 0
    assert json.loads(run(*command, "show", "--json").stdout)["pin"] != first["pin"]
    assert "portalfw pki init" in run("pki", "--folder", str(tmp_path / "none"), "show").stderr


def test_a_node_needs_the_token_only(secured: Secured, tmp_path: Path) -> None:
    """An agent enters by the token alone, keeps the authority whose pin that carries, and trusts no other."""
    token = secured.token()
    assert token.endswith(json.loads(secured.pki("show", "--json").stdout)["pin"])
    before = {row["id"] for row in secured.ask("system/gridmanager/getNodes")}
    state = tmp_path / "node"
    with agent(secured.url, state, "--join-token", token) as log:

        def there() -> list[Any]:
            rows = secured.ask("system/gridmanager/getNodes")
            return [row for row in rows if row["id"] not in before and row["connected"]]

        node = wait_for(there, 60, "the new node")[0]
        assert authorities(state) == 1
        done = secured.ask("system/agentcontroller/executeJumpscript", name="node/hostfacts", nid=node["id"])
        assert done["state"] == "OK"
        kept = (secured.folder / "portal.pem").read_bytes()
        stranger = new_certificate(new_authority("stranger"), ["localhost"])
        secured.serve(pem(*stranger))
    with agent(secured.url, state) as log:
        wait_for(lambda: "not from an authority that this node trusts" in log.read_text(), 30, "the word of it")
        secured.serve(kept)
        wait_for(lambda: log.read_text().count("Connected to") == 2, 60, "the node being back by itself")


def test_who_cannot_be_trusted_is_named(secured: Secured, tmp_path: Path) -> None:
    """A wrong pin, no pin, another name, an old certificate, plain http: each ends with a line that says the remedy."""
    token, state = secured.token(), tmp_path / "refused"
    wrong = "sha256:" + "0" * 64
    said = refused(secured.url, state, "--join-token", token, "--ca-pin", wrong)
    assert f"does not have the pin {wrong}" in said
    assert "portalfw pki show" in said
    assert "no pin" in refused(secured.url, state, "--join-token", "join_x.sha1:abc")
    said = refused(secured.url, state, "--join-token", token.partition(".")[0])
    assert "not from an authority that this node trusts" in said
    assert "--ca-pin" in said
    said = refused(secured.url.replace("localhost", "127.0.0.1"), state, "--join-token", token)
    assert "its certificate is not for 127.0.0.1" in said
    kept = (secured.folder / "portal.pem").read_bytes()
    old = new_certificate(PkiFolder(secured.folder).signer(), ["localhost"], days=0)
    try:
        secured.serve(pem(*old))
        assert "has expired" in refused(secured.url, state, "--join-token", token)
    finally:
        secured.serve(kept)
    assert "in the clear; use https" in refused("http://cloud.example.org", state, "--join-token", token)


def test_a_new_authority_takes_over(secured: Secured, tmp_path: Path) -> None:
    """Nodes hear of a new authority by the old one's word, trust what it signs, and at last nothing else."""
    state = tmp_path / "rolling"
    token = secured.token()
    with agent(secured.url, state, "--join-token", token):
        wait_for(lambda: authorities(state) == 1, 60, "the first authority")
        wait_for((state / "agent" / "credential").exists, 60, "its credential")
    secured.pki("roll")
    refusal = run("pki", "--folder", str(secured.folder), "retire")
    assert refusal.returncode == 1
    assert "renew it first" in refusal.stderr
    with agent(secured.url, state):
        wait_for(lambda: authorities(state) == 2, 60, "both authorities")
    secured.pki("renew")
    secured.wait_until_served((secured.folder / "portal.pem").read_bytes())
    secured.pki("retire")
    with agent(secured.url, state) as log:
        wait_for(lambda: authorities(state) == 1, 60, "the newest authority alone")
        assert "not trusted" not in log.read_text()
    assert (state / "agent" / "authority.pem").read_text() == (secured.folder / "ca.pem").read_text()
    newer = secured.token()
    assert newer.split(".")[1] != token.split(".")[1]


def test_service_of_systemd(tmp_path: Path) -> None:
    """The unit is what systemd takes, the token lies in a file of its own, and what is installed can be removed."""
    words = ("--controller", "https://cloud.example.org", "--join-token", "join_abc")
    shown = run("agent", "install", *words, "--print")
    assert shown.returncode == 0, shown.stderr
    assert "join_abc" not in shown.stdout
    for user in ((), ("--user", "daemon")):
        root = tmp_path / "-".join(("root", *user))
        done = run("agent", "install", *words, "--root", str(root), *user, "--ca-pin", "sha256:" + "a" * 64)
        assert done.returncode == 0, done.stderr
        unit = root / "etc/systemd/system/portalfw-agent.service"
        assert "join_abc" not in unit.read_text()
        assert ("User=daemon" in unit.read_text()) == bool(user)
        token = root / "var/lib/portalfw-agent/join-token"
        assert (token.read_text().strip(), token.stat().st_mode & 0o777) == ("join_abc.sha256:" + "a" * 64, 0o600)
        if shutil.which("systemd-analyze"):
            command = ["systemd-analyze", "verify", "--man=no", str(unit)]
            checked = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (checked.returncode, checked.stderr) == (0, "")
        assert run("agent", "uninstall", "--root", str(root), "--purge").returncode == 0
        assert not unit.exists()
        assert not token.exists()
    assert "not installed" in run("agent", "uninstall", "--root", str(tmp_path)).stderr
    assert "in the clear" in run("agent", "install", "--controller", "http://cloud.example.org", "--print").stderr


def test_an_ordinary_user_runs_an_agent(secured: Secured) -> None:
    """An agent without root enters by a token in a file, gone then, tells that it is not root, and runs scripts."""
    folder = Path(tempfile.mkdtemp(prefix="pfw-user-", dir="/tmp"))
    before = {row["id"] for row in secured.ask("system/gridmanager/getNodes", limit=0)}
    (folder / "join-token").write_text(secured.token())
    user = ["unshare", "--user", "--map-user=1000"] if os.geteuid() == 0 else []
    command = [*user, sys.executable, "-m", "agent", "--controller", secured.url, "--state", str(folder)]
    command += ["--hypervisor", "test", "--join-token-file", str(folder / "join-token")]
    with subprocess.Popen(command, env=_environment({})) as started:
        try:

            def there() -> list[Any]:
                rows = secured.ask("system/gridmanager/getNodes", limit=0)
                return [row for row in rows if row["id"] not in before and row["connected"]]

            node = wait_for(there, 60, "the node")[0]["id"]
            assert not (folder / "join-token").exists()
            done = secured.ask("system/agentcontroller/executeJumpscript", name="node/hostfacts", nid=node)
            assert done["state"] == "OK", done
            found = secured.ask("system/gridmanager/getNode", nodeId=node)
            assert not found["facts"]["root"]
            assert found["abilities"]["network"] == "simulated"
            secured.ask("system/gridmanager/decommissionNode", nodeId=node, reason="test")
        finally:
            started.terminate()
            started.wait(30)
            shutil.rmtree(folder)


def test_tunnels_trust_whom_questions_trust(secured: Secured, tmp_path: Path) -> None:
    """A tunnel is refused by a controller that the node does not trust, and goes to one that it has pinned."""
    folders = dict.fromkeys(("work", "run", "files"), tmp_path)
    for authority, answer in ((None, "--ca-pin"), (secured.folder / "ca.pem", "does not wait for this tunnel")):
        node = Surroundings(1, "pf0000", "", **folders, controller=secured.url, credential="no", authority=authority)
        local, theirs = socket.socketpair()
        with theirs, pytest.raises(TunnelError, match=answer):
            gevent.get_hub().threadpool.apply(carry, (node, "tunnel", local))  # where no loop runs, whatever ran before
