"""Settings: where they come from, and who wins."""

from __future__ import annotations

from pathlib import Path

from product import run


def shown(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [name])


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    """A flag beats an environment variable, which beats the file; the command says where each value comes from."""
    file = tmp_path / "portalfw.toml"
    file.write_text('port = 1111\nlisten = "127.0.0.2"\nhypervisor = "qemu"\n')
    environment = {
        "PORTALFW_CONFIG": str(file),
        "PORTALFW_PORT": "2222",
        "PORTALFW_HYPERVISOR": "auto",
        "COLUMNS": "200",
    }
    done = run("settings", "--hypervisor", "test", **environment)
    assert done.returncode == 0, done.stderr
    assert shown(done.stdout, "port").split()[1:3] == ["2222", "environment"]
    assert shown(done.stdout, "hypervisor").split()[1:4] == ["test", "command", "line"]
    assert shown(done.stdout, "listen").split()[1:3] == ["127.0.0.2", "file"]
    assert "default" in shown(done.stdout, "mongodb_name")


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    """A malformed value, an unknown name and a missing file end with one line that names them and status 1."""
    file = tmp_path / "portalfw.toml"
    file.write_text("prot = 8200\n")
    cases = {
        "port": run("settings", PORTALFW_PORT="many"),
        "prot": run("settings", PORTALFW_CONFIG=str(file)),
        "nowhere.toml": run("settings", PORTALFW_CONFIG="nowhere.toml"),
    }
    for word, done in cases.items():
        assert done.returncode == 1
        assert word in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_secrets_are_masked(tmp_path: Path) -> None:
    """Neither tokens nor passwords in addresses nor secrets of providers are shown, only that there is one."""
    file = tmp_path / "portalfw.toml"
    file.write_text(
        'mongodb_uri = "mongodb://portal:hidden@db/?tlsCertificateKeyFilePassword=hidden"\njoin_token = "hidden"\n'
        '[[oidc]]\nname = "sso"\nissuer = "https://sso.example.org"\nclient_id = "portal"\nclient_secret = "hidden"\n'
    )
    done = run("settings", PORTALFW_CONFIG=str(file), COLUMNS="400")
    assert done.returncode == 0, done.stderr
    assert "hid" not in done.stdout
    assert "mongodb://portal:***@db/?tlsCertificateKeyFilePassword=***" in done.stdout
    assert '"client_secret": "***"' in done.stdout
    assert shown(done.stdout, "join_token").split()[1] == "***"
