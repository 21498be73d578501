"""One-offs: a few lines of bash or Python that an operator wants to run on a node once, as a JumpScript of their own.

They are no JumpScript that jobs find by name, so there is no way to them but the methods that ask for the right. Their
whole text is kept with the job (as the version of the script that it ran), and its hash.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from portalfw.errors import InvalidError

Language = Literal["bash", "python"]

LONGEST: Final = 64 * 1024
"""Characters; the text travels as one argument of a command."""

COMMANDS: Final[dict[Language, str]] = {
    "bash": '["bash", "-c", text]',
    "python": '[sys.executable, "-u", "-c", text]',
}

TEMPLATE: Final = '''"""{language}, once."""

from __future__ import annotations

descr = "{language}, once"
organization = "portalfw"
author = {author!r}
queue = "process"
timeout = {timeout}
log = True
idempotent = False


def action() -> dict[str, int]:
    """Run the text, tell what it prints, and fail if it does not end with 0."""
    import subprocess
    import sys

    from agent.jumpscript import log

    text = {text!r}
    command = {command}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            log.info(line.rstrip("\\n"))
    if process.returncode:
        raise RuntimeError(f"{language} ended with {{process.returncode}}")
    return {{"exit": 0}}
'''


def oneoff(language: Language, text: str, author: str, timeout: float) -> str:
    """Return the JumpScript that runs a text.

    :param timeout: seconds.
    :raises InvalidError: if there is nothing to run, or too much.
    """
    if not text.strip() or len(text) > LONGEST or "\0" in text:
        raise InvalidError(f"text: 1 to {LONGEST} characters, none of them NUL.", detail={"argument": "text"})
    command = COMMANDS[language]
    lines = text.replace("\r\n", "\n")  # as browsers send them
    return TEMPLATE.format(language=language, author=author, timeout=timeout, text=lines, command=command)


def digest(text: str) -> str:
    """Return the hash by which a text is found in the audit log, as ``sha256sum`` tells it."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()
