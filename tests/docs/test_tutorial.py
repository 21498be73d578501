"""The tutorial does what it says: its commands are run, its files saved, its pages opened, in its order."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from product import REPOSITORY, free_port, wait_for

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
PIECE = re.compile(
    r"^```console\n(?P<console>.*?)^```$"
    r"|^`(?P<path>~/[^`]+)`:\n\n```\w+\n(?P<file>.*?)^```$"
    r"|Open <http://127\.0\.0\.1:8200(?P<page>/[^>]*)>"
    r"|^```\w+\n(?P<loose>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LIVE = 20.0  # seconds within which a running portal has to take a change


class Reader:
    """Somebody who follows the tutorial, in a home of his own and with a port that is free."""

    def __init__(self, home: Path) -> None:
        """Give the reader the commands that activating the virtual environment gives."""
        self.home, self.port = home, free_port()
        self.portal: subprocess.Popen[str] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTALFW_")}
        tools = home / "bin"
        tools.mkdir()
        for name, module in (("portalfw", "portalfw"), ("pytest", "pytest")):
            (tools / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m {module} "$@"\n')
            (tools / name).chmod(0o755)
        self.environment = {
            **kept,
            "HOME": str(home),
            "PATH": f"{tools}:{kept['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "PORTALFW_STATE": str(home / "state"),
            "PORTALFW_PORT": str(self.port),
            "PORTALFW_URL": f"http://127.0.0.1:{self.port}",
            "PORTALFW_HYPERVISOR": "test",
        }

    def save(self, path: str, text: str) -> None:
        """Save a file; one that was there before is another one afterwards."""
        file = self.home / path.removeprefix("~/")
        assert file.parent.is_dir(), f"{path}: the tutorial has no such folder yet"
        file.write_text(text)

    def command(self, line: str, expected: list[str]) -> None:
        """Run one command and compare what it says; exported variables last."""
        said = self._start(line) if " up " in line else self._run(line)
        missing = [words for words in expected if not re.search(_pattern(words), said, re.MULTILINE)]
        assert not missing, f"$ {line}\nsays\n{said}\nand not {missing}"

    def opened(self, page: str) -> None:
        """Open a page as the administrator; a change of its files may take a moment to be seen."""
        headers = {"Authorization": f"Bearer {self.environment['PORTALFW_TOKEN']}"}
        url = f"{self.environment['PORTALFW_URL']}{page}"

        def sound() -> bool:
            answer = requests.get(url, headers=headers, timeout=30)
            return answer.status_code == 200 and "macro-error" not in answer.text

        wait_for(sound, LIVE, f"{page} without an error")

    def shown(self, page: str) -> str:
        headers = {"Authorization": f"Bearer {self.environment['PORTALFW_TOKEN']}"}
        return requests.get(f"{self.environment['PORTALFW_URL']}{page}", headers=headers, timeout=30).text

    def stop(self) -> None:
        if self.portal is not None:
            self.portal.send_signal(signal.SIGINT)
            self.portal.wait(60)

    def _run(self, line: str) -> str:
        script = f"{line}\nenv -0 > {shlex.quote(str(self.home / 'environment'))}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        variables = (self.home / "environment").read_text().rstrip("\0").split("\0")
        self.environment = dict(one.partition("=")[::2] for one in variables)
        return done.stdout

    def _start(self, line: str) -> str:
        self.portal = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = []
        for words in self.portal.stdout or ():
            said.append(words)
            if words.startswith("Ready: "):
                threading.Thread(target=self.portal.communicate, daemon=True).start()  # or it fills the pipe and waits
                break
        return "".join(said).replace(str(self.port), "8200")


def _pattern(words: str) -> str:
    return "^" + ".*".join(re.escape(part) for part in words.strip().split("…")) + "$"


@pytest.fixture
def reader() -> Iterator[Reader]:
    home = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    found = Reader(home)
    yield found
    found.stop()
    shutil.rmtree(home)


@pytest.mark.timeout(500)
def test_the_tutorial_works_as_it_is_written(reader: Reader) -> None:
    """Every command answers what stands there, every file is taken, every page opens without an error."""
    counts = {"console": 0, "path": 0, "page": 0}
    for piece in PIECE.finditer(TUTORIAL.read_text()):
        assert piece["loose"] is None, f"a block that is neither a command nor a file with its path: {piece['loose']}"
        for kind in counts:
            counts[kind] += piece[kind] is not None
        if piece["console"] is not None:
            for command in COMMAND.finditer(piece["console"]):
                reader.command(command[1], [line for line in command[2].splitlines() if line.strip(" …")])
        elif piece["path"] is not None:
            reader.save(piece["path"], piece["file"])
        else:
            reader.opened(piece["page"])
    assert counts == {"console": 6, "path": 8, "page": 3}
    wait_for(lambda: "1 of 5" in reader.shown("/library"), LIVE, "the macro counts one book")
    page = reader.shown("/library")
    assert "The Sea" in page
    assert "The Mountain" in page
    assert "library/book/create" in page
