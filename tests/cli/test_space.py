"""Spaces from the command line: listed, exported, imported and exchanged with a git remote."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from product import REPOSITORY, Product, run, running


@pytest.fixture
def environment(product: Product) -> dict[str, str]:
    """Give what tells the command which portal is meant."""
    return {"PORTALFW_URL": product.url, "PORTALFW_TOKEN": product.token}


def test_a_space_travels_as_a_zip_file(environment: dict[str, str], tmp_path: Path) -> None:
    """What is exported can be imported under another name, and is listed."""
    file = tmp_path / "lab.zip"
    done = run("space", "export", "lab", str(file), **environment)
    assert done.returncode == 0, done.stderr
    assert "Teas.md" in zipfile.ZipFile(file).namelist()
    done = run("space", "import", "lab-by-hand", str(file), "--message", "From the command line", **environment)
    assert done.returncode == 0, done.stderr
    assert "files changed" in done.stdout
    assert "lab-by-hand" in run("space", "list", **environment).stdout
    assert run("space", "delete", "lab-by-hand", **environment).returncode == 1  # nobody types its name
    assert run("space", "delete", "lab-by-hand", "--yes", **environment).returncode == 0
    assert "lab-by-hand" not in run("space", "list", **environment).stdout
    assert "lab-by-hand" in run("space", "list", "--deleted", **environment).stdout
    assert "is back" in run("space", "restore", "lab-by-hand", **environment).stdout
    assert "lab-by-hand" in run("space", "list", **environment).stdout


def test_a_space_is_pushed_and_pulled(tmp_path: Path) -> None:
    """Pages go to a git remote, and what others pushed there comes back."""
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    content = [f"--content={folder}" for folder in (REPOSITORY, REPOSITORY / "tests" / "content")]
    # Only whoever runs the portal may name a folder of its machine.
    remotes = json.dumps({"lab": f"file://{remote}"})
    with running("--hypervisor", "test", *content, PORTALFW_SPACE_REMOTES=remotes) as product:
        environment = {"PORTALFW_URL": product.url, "PORTALFW_TOKEN": product.token}
        done = run("space", "push", "lab", **environment)
        assert done.returncode == 0, done.stderr
        push_by_hand(remote, clone)
        assert "0 to push, 1 to pull" in run("space", "status", "lab", **environment).stdout
        assert "Pulled.md" in run("space", "pull", "lab", **environment).stdout


def push_by_hand(remote: Path, clone: Path) -> None:
    """Push one more page as somebody with a clone does."""
    subprocess.run(["git", "clone", "-q", str(remote), str(clone)], check=True)
    (clone / "Pulled.md").write_text("From afar.\n")
    git = ["git", "-C", str(clone), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "afar"], check=True)
    subprocess.run([*git, "push", "-q"], check=True)


def test_what_goes_wrong_is_one_line(environment: dict[str, str]) -> None:
    """A space that there is not ends with the portal's words and status 1."""
    done = run("space", "status", "no-such-space", **environment)
    assert done.returncode == 1
    assert "no-such-space" in done.stderr
    assert "Traceback" not in done.stderr
