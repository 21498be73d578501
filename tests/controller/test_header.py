"""Reading a JumpScript without running it."""

from __future__ import annotations

import pytest

from portalfw.controller.header import Argument, read_header
from portalfw.errors import InvalidError

SCRIPT = '''
"""Doc."""
from agent.jumpscript import log
descr = "Start a machine"
organization = "cloud"
roles = ["cpunode"]
queue = "hypervisor"
period: int = 60
timeout = 12.5
idempotent = True
NOT_A_FIELD = print("never")
def action(machine: dict[str, int], force: bool = False, *, tries=3, **rest): ...
'''


def test_header_and_arguments() -> None:
    """Literals of the header and the signature of action are read, and nothing is run."""
    header = read_header(SCRIPT, "startmachine")
    assert (header.descr, header.organization, header.name) == ("Start a machine", "cloud", "startmachine")
    assert (header.roles, header.queue, header.period) == (("cpunode",), "hypervisor", 60)
    assert (header.timeout, header.idempotent, header.enable, header.log) == (12.5, True, True, True)
    assert header.arguments == (
        Argument("machine", "dict[str, int]", required=True),
        Argument("force", "bool", required=False, default=False),
        Argument("tries", "", required=False, default=3),
    )
    assert header.open_arguments


def test_defaults() -> None:
    """A header needs no more than a description; the timeout follows the queue."""
    assert read_header("descr='x'\ndef action(): ...").timeout == 300
    assert read_header("descr='x'\nqueue='io'\ndef action(): ...").timeout == 3600
    assert not read_header("descr='x'\ndef action(): ...").idempotent


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("descr = 'x'\ndef action(", "it is not Python: line 2: '(' was never closed"),
        ("descr = 'x'\0", "it is not Python"),
        ("descr = 'x'", "it has no function action()"),
        ("def action(): ...", "its header has no descr"),
        ("descr = 'x'\nqueue = 'fast'\ndef action(): ...", "its queue is 'fast'; choose one of default"),
        ("descr = 'x'\ntimeout = True\ndef action(): ...", "line 2: timeout is True, not int or float"),
        ("descr = 'x'\ntimeout = 2 * 60\ndef action(): ...", "line 2: timeout must be a literal"),
        ("descr = 'x'\ndef action(*names): ...", "named arguments"),
        ("descr = 'x'\ndef action(a=print): ...", "line 2: the default of a must be a literal"),
    ],
)
def test_malformed(source: str, message: str) -> None:
    """What is wrong with a malformed script is said in words, with the line where there is one."""
    with pytest.raises(InvalidError) as caught:
        read_header(source)
    assert message in str(caught.value)
