"""The API from the command line and from a generated client, both made from the running portal's own document."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from product import Product, free_port, run

CHECK = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "--cache-dir=/dev/null"]


@pytest.fixture
def environment(product: Product, tmp_path: Path) -> dict[str, str]:
    """Give what tells the command which portal is meant, and a cache of its own."""
    return {"PORTALFW_URL": product.url, "PORTALFW_TOKEN": product.token, "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture(scope="module")
def client_path(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the client that ``portalfw client`` writes."""
    path = tmp_path_factory.mktemp("client") / "portal_client.py"
    done = run("client", "--url", product.url, "--token", product.token, "--output", str(path))
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def client(client_path: Path) -> Any:
    """Give that client as a module."""
    spec = importlib.util.spec_from_file_location("portal_client", client_path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def completed(words: str, environment: dict[str, str]) -> list[str]:
    """Return what the shell would offer behind ``words``, as click's bash completion asks."""
    shell = {"_PORTALFW_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = run(**environment, **shell)
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.splitlines()]


def test_method_is_a_command_with_typed_options(environment: dict[str, str]) -> None:
    """Arguments of every type are options, the answer is JSON, wire names work as well."""
    given = ("--cup-count", "3", "--no-hot", "--names", "a", "--names", "b", "--extra", '{"x": 1}', "--kind", "coffee")
    done = run("api", "lab", "kettle", "echo", *given, **environment)
    assert done.returncode == 0, done.stderr
    wanted = {"cupCount": 3, "hot": False, "label": "", "names": ["a", "b"], "extra": {"x": 1}, "kind": "coffee"}
    assert json.loads(done.stdout) == wanted
    done = run("api", "lab", "kettle", "echo", "--cupCount", "4", **environment)
    assert json.loads(done.stdout)["cupCount"] == 4


def test_failure_is_one_line_and_status_1(environment: dict[str, str]) -> None:
    """What the portal refuses is one line in its words; a portal that is not there is one that names the setting."""
    done = run("api", "lab", "kettle", "boil", **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("portalfw: Kettle 1 is HOT; this needs COLD. (conflict, 409, id ")
    assert len(done.stderr.splitlines()) == 1
    away = {**environment, "PORTALFW_URL": f"http://127.0.0.1:{free_port()}"}
    done = run("api", "lab", "kettle", "boil", **away)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"portalfw: The portal at {away['PORTALFW_URL']} does not answer; is --url (PORTALFW_URL) right?"
    ]
    refused = run("api", "lab", "kettle", "boil", **{**environment, "PORTALFW_TOKEN": "pfw_wrong"})
    assert (refused.returncode, "unauthenticated, 401" in refused.stderr) == (1, True)


def test_who_has_no_token_is_told_so(environment: dict[str, str]) -> None:
    """Without a token open methods can be called; for any other the command says what is missing."""
    guest = {**environment, "PORTALFW_TOKEN": ""}
    assert json.loads(run("api", "system", "usermanager", "whoami", **guest).stdout)["name"] == "guest"
    done = run("api", "cloudapi", "machines", "start", **guest)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "set PORTALFW_TOKEN" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("lab", "kettle", "sing"),
        ("lab", "kettle", "echo"),
        ("lab", "kettle", "echo", "--cup-count", "many"),
        ("lab", "kettle", "echo", "--cup-count", "1", "--kind", "mate"),
        ("lab", "kettle", "echo", "--cup-count", "1", "--extra", "{"),
        ("lab", "kettle", "echo", "--cups", "1"),
    ],
)
def test_wrong_usage_is_status_2(words: tuple[str, ...], environment: dict[str, str]) -> None:
    """A call that cannot be made, for a wrong name or option, ends with status 2; only the portal's refusals with 1."""
    done = run("api", *words, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_help_and_completion_come_from_the_portal(environment: dict[str, str]) -> None:
    """Help names apps, methods and options; the shell completes them, and stays silent without a portal."""
    assert "cloudapi" in run("api", "--help", **environment).stdout
    assert (
        "Return the arguments as they arrived." in run("api", "lab", "kettle", "echo", "--help", **environment).stdout
    )
    assert completed("portalfw api lab ket", environment) == ["kettle"]
    assert completed("portalfw api cloudapi machines sta", environment) == ["start", "stats"]
    assert "--cup-count" in completed("portalfw api lab kettle echo --c", environment)
    assert completed("portalfw api lab kettle echo --kind ", environment) == ["tea", "coffee"]
    away = {**environment, "PORTALFW_URL": f"http://127.0.0.1:{free_port()}"}
    assert not any(completed("portalfw api cl", away))


def test_destructive_method_asks_first(environment: dict[str, str]) -> None:
    """A method that destroys does nothing unless it is confirmed, by hand or with --yes."""
    command = ("api", "cloudapi", "machines", "delete", "--machine-id", "4711")
    asked = run(*command, **environment)
    assert asked.returncode == 1
    assert "Go on?" in asked.stderr
    assert "does not exist" not in asked.stderr
    assert "does not exist" in run(*command, "--yes", **environment).stderr


def test_client_calls_the_portal(product: Product, client: Any) -> None:
    """The generated client calls methods by snake_case names and answers what they return."""
    portal = client.Client(product.url, product.token)
    assert portal.lab.kettle.echo(cup_count=2, kind="coffee")["cupCount"] == 2
    assert portal.system.usermanager.whoami()["name"] == "admin"
    assert portal.cloudapi.images.list_()[0]["name"] == "tiny"
    with pytest.raises(client.ApiError) as refused:
        portal.lab.kettle.boil()
    assert (refused.value.status, refused.value.code) == (409, "conflict")
    assert refused.value.detail == {"status": "HOT"}
    with pytest.raises(client.ApiError) as unreachable:
        client.Client(f"http://127.0.0.1:{free_port()}").system.usermanager.whoami()
    assert unreachable.value.code == "unreachable"


def test_client_is_typed_and_needs_requests_alone(client_path: Path) -> None:
    """The generated file passes mypy --strict, a wrong argument does not; it imports requests and nothing else."""
    text = client_path.read_text()
    imported = {node.names[0].name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)}
    assert imported == {"requests"}
    wrong = client_path.with_name("wrong.py")
    wrong.write_text(
        "from portal_client import Client\n"
        "count: int = Client('').lab.kettle.echo(cup_count='two')['x']\n"
        "name: int = Client('').system.usermanager.whoami()['name']\n"
    )
    done = subprocess.run(
        [*CHECK, "portal_client.py"], cwd=client_path.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*CHECK, "wrong.py"], cwd=client_path.parent, capture_output=True, text=True, check=False)
    assert done.stdout.count("error:") == 2, done.stdout
