"""Settings of providers: what is wrong is said at the start; secrets are shown to nobody."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from product import REPOSITORY, free_port, run

from portalfw.auth.oidc_flow import Oidc
from portalfw.errors import StartError
from portalfw.settings import load_settings

SECRET = "not-for-anybodys-eyes"
GOOD = {
    "name": '"corp"',
    "issuer": '"https://sso.example.org"',
    "client_id": '"portal"',
    "client_secret": f'"{SECRET}"',
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder with a short path."""
    found = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    yield found
    shutil.rmtree(found)


def table(**values: str | None) -> str:
    given = {name: value for name, value in {**GOOD, **values}.items() if value is not None}
    return "\n".join(["[[oidc]]", *(f"{name} = {value}" for name, value in given.items()), ""])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (table(name='"two words"'), "oidc.0.name: Value error, must be 1 to 31 letters"),
        (table(issuer='"http://sso.example.org"'), "oidc.0.issuer: Value error, must be an address such as"),
        (table(issuer='"https://a.b/.well-known/openid-configuration"'), "what stands before /.well-known"),
        (table(client_id=None), "oidc.0.client_id: Field required"),
        (table(scopes='["email"]'), "provider corp: scopes must hold openid"),
        (table(algorithms='["HS256"]'), "oidc.0.algorithms.0"),
        (table(colour='"red"'), "oidc.0.colour: Extra inputs are not permitted"),
        (table(client_secret="5"), "oidc.0.client_secret: Input should be a valid string"),
        (table(client_secret_file='"/etc/x"'), "give client_secret or client_secret_file, not both"),
        (table() + table(), "two providers are called corp"),
        (table(client_secret=None, client_secret_file='"/not/there"'), "client_secret_file of corp cannot be read"),
    ],
)
def test_wrong_setting_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    """What is wrong with a provider's settings is said with the setting's name, and without the secret."""
    file = folder / "portalfw.toml"
    file.write_text(text)
    monkeypatch.setenv("PORTALFW_CONFIG", str(file))
    with pytest.raises(StartError) as refused:
        Oidc(load_settings())
    assert said in refused.value.message
    assert SECRET not in refused.value.message


def test_wrong_setting_stops_the_start(folder: Path) -> None:
    """A wrong setting of a provider, or a secret that cannot be read, ends the start with one line."""
    file = folder / "portalfw.toml"
    for text, said in (
        (table(name='"two words"'), "oidc.0.name"),
        (table(client_secret=None, client_secret_file='"/not/there"'), "client_secret_file of corp cannot be read"),
    ):
        file.write_text(text)
        flags = ("--state", str(folder / "state"), "--hypervisor", "test", "--port", str(free_port()))
        done = run("up", *flags, PORTALFW_CONFIG=str(file))
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_examples_of_the_documentation_can_be_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example in docs/access.md is one that the portal takes."""
    blocks = re.findall(r"```toml\n(.*?)```", (REPOSITORY / "docs" / "access.md").read_text(), re.DOTALL)
    examples = [block for block in blocks if "[[oidc]]" in block]
    file = folder / "portalfw.toml"
    monkeypatch.setenv("PORTALFW_CONFIG", str(file))
    names = []
    for example in examples:
        file.write_text(example)
        names += [provider.name for provider in load_settings().oidc]
    assert names == ["corp", "keycloak", "entra", "google"]


def test_secret_is_not_shown(folder: Path) -> None:
    """The command that shows settings does not show a client secret."""
    file = folder / "portalfw.toml"
    file.write_text(table())
    done = run("settings", PORTALFW_CONFIG=str(file), COLUMNS="400")
    assert "sso.example.org" in done.stdout
    assert SECRET not in done.stdout
