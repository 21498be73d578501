"""What the system says, read as facts, and facts, answered by commands: each file of ``facts`` or ``plans`` is a case.

It names the function, ``network.links.parse_links``. A new quirk of a system is a new file.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict, validate_call
from pydantic_core import to_jsonable_python

from sal.command import Command
from sal.errors import SalError

HERE = Path(__file__).parent
SAL = HERE.parents[1] / "sal"


def cases(folder: str) -> Any:
    return pytest.mark.parametrize("path", sorted((HERE / folder).glob("*.json")), ids=lambda path: path.stem)


def function(name: str) -> Callable[..., Any]:
    """Return a function of the SAL that takes its arguments as JSON has them."""
    module, _, name = name.rpartition(".")
    found = getattr(importlib.import_module(f"sal.{module}"), name)
    return validate_call(found, config=ConfigDict(arbitrary_types_allowed=True))


def text(said: Any) -> str:
    """Return what a command said: a text, its lines, or JSON."""
    if isinstance(said, str):
        return said
    lines = isinstance(said, list) and all(isinstance(line, str) for line in said)
    return "".join(f"{line}\n" for line in said) if lines else json.dumps(said)


@cases("facts")
def test_facts(path: Path) -> None:
    """What the system says is read as exactly these facts."""
    case = json.loads(path.read_text(encoding="utf-8"))
    found = function(case["function"])(*map(text, case["said"]), **case.get("options", {}))
    assert to_jsonable_python(found) == case["facts"]


@cases("plans")
def test_plan(path: Path) -> None:
    """What is wanted and what is there lead to exactly the commands that are missing, or to this error."""
    case = json.loads(path.read_text(encoding="utf-8"))
    if "error" in case:
        with pytest.raises((SalError, ValueError), match=re.escape(case["error"])):
            function(case["function"])(**case["given"])
        return
    plan = function(case["function"])(**case["given"])
    assert [shown(command) for command in plan] == case["commands"]


def shown(command: Command) -> str:
    """Return a command with what it is given to read."""
    return shlex.join(command.args) + (f" <<< {command.input!r}" if command.input else "")


def test_every_plan_and_parser_has_a_case() -> None:
    """No function that reads or plans is without a case."""
    used = {json.loads(path.read_text())["function"] for kind in ("facts", "plans") for path in (HERE / kind).iterdir()}
    assert sorted(parsers_and_plans() - used) == []


def parsers_and_plans() -> set[str]:
    found = set()
    for file in SAL.rglob("*.py"):
        module = ".".join(file.relative_to(SAL).with_suffix("").parts)
        for name, one in vars(importlib.import_module(f"sal.{module}")).items():
            named = name.startswith("parse_") or name.endswith("_commands")
            if named and inspect.isfunction(one) and one.__module__ == f"sal.{module}":
                found.add(f"{module}.{name}")
    return found
