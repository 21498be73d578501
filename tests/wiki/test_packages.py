"""Macros that Python packages bring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from portalfw.errors import StartError
from wiki.pad import Pad

FILES = {
    "tea_macros-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tea-macros\nVersion: 1.0\n",
    "tea_macros-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tea_macros-1.0.dist-info/entry_points.txt": "[portalfw.macros]\ntea = tea_macros\n",
    "tea_macros-1.0.dist-info/RECORD": "",
    "tea_macros/templates/tea.html": "<p>There is {{ kind }} tea</p>",
}
MODULE = """\
from portalfw.wiki import Block, MacroContext, macro

@macro
def tea(ctx: MacroContext, kind: str = "black") -> Block:
    \"\"\"Say which tea there is. kind: of it.\"\"\"
    return ctx.render("tea.html", kind=kind)

@macro
def note(ctx: MacroContext) -> Block:
    \"\"\"Try to take the place of a macro of the product.\"\"\"
    return ctx.render("tea.html", kind="stolen")
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package into a folder of its own, with pip."""
    wheel, target = tmp_path / "tea_macros-1.0-py3-none-any.whl", tmp_path / "installed"
    with ZipFile(wheel, "w") as archive:
        for name, text in {**FILES, "tea_macros/__init__.py": MODULE}.items():
            archive.writestr(name, text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True)
    monkeypatch.syspath_prepend(str(target))
    monkeypatch.delitem(sys.modules, "tea_macros", raising=False)
    return target


@pytest.mark.usefixtures("installed")
def test_macros_of_packages(pad: Pad) -> None:
    """An installed package's macros work with their templates, and take no place of the product's own."""
    assert "There is &lt;b&gt;green tea" in pad.html("{{tea '<b>green'}}")
    assert "stolen" not in pad.html("{{note text:mine}}")


def test_a_package_that_cannot_be_loaded(installed: Path, pad: Pad) -> None:
    """The start names the package and what is wrong with it."""
    (installed / "tea_macros" / "__init__.py").write_text("1 / 0")
    with pytest.raises(StartError, match=r"tea-macros.*ZeroDivisionError"):
        pad.html("text")
