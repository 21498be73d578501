"""``portalfw new`` writes examples that work, and spoils nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from product import REPOSITORY, run

KINDS = {"space": "tea-room", "macro": "tea_methods", "actor": "tea/pot", "jumpscript": "tea/fill_level"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a content directory with one of each kind, in a folder that was not there."""
    folder = tmp_path_factory.mktemp("new") / "deep" / "site"
    for kind, name in KINDS.items():
        done = run("new", kind, name, "--into", str(folder))
        assert done.returncode == 0, done.stderr
        assert f"portalfw up --content {REPOSITORY} --content {folder}" in done.stdout
    return folder


@pytest.mark.timeout(400)
def test_what_is_written_works(site: Path) -> None:
    """The tests that are written with the examples pass: they start the product over the directory, open and call."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=380, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((site / "tests").glob("test_*.py"))) == len(KINDS)
    assert " failed" not in done.stdout


def test_no_word_of_a_skeleton_is_left(site: Path) -> None:
    """Each placeholder was replaced, in names and texts."""
    for file in (file for file in site.rglob("*") if file.is_file() and "__pycache__" not in file.parts):
        assert "«" not in file.read_text(), file
        assert file.suffix != ".txt", file
        assert "_name_" not in file.name, file


@pytest.mark.parametrize(("kind", "name"), KINDS.items())
def test_nothing_is_overwritten(site: Path, kind: str, name: str) -> None:
    """A second one of the same name is refused, and no file changes."""
    before = {file: file.stat().st_mtime_ns for file in site.rglob("*.*")}
    done = run("new", kind, name, "--into", str(site))
    assert done.returncode == 1
    assert "already" in done.stderr
    assert {file: file.stat().st_mtime_ns for file in site.rglob("*.*")} == before


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("space", "Tea Room!", "cannot name a space"),
        ("space", "restmachine", "cannot name a space"),
        ("space", "cbgrid", "already"),
        ("macro", "../evil", "small letter"),
        ("macro", "class", "small letter"),
        ("macro", "Table", "small letter"),
        ("macro", "table", "already"),
        ("actor", "pot", "app/actor"),
        ("actor", "tea/big_pot", "small letter"),
        ("actor", "system/task", "already"),
        ("actor", "tea/../pot", "small letter"),
        ("jumpscript", "node/hostfacts", "already"),
        ("jumpscript", "dust", "category/script"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, kind: str, name: str, says: str) -> None:
    """A name that is malformed, reserved or taken by what is shipped is refused with the reason; nothing is written."""
    done = run("new", kind, name, "--into", str(tmp_path / "site"))
    assert done.returncode == 1
    assert says in done.stderr
    assert not (tmp_path / "site").exists()
