"""The product keeps what its OpenAPI document promises, whatever is sent to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from product import Product, running

CONFIG = Path(__file__).with_name("schemathesis.toml")
LIMIT = "45"  # seconds


@pytest.mark.timeout(200)
def test_every_method_keeps_its_schema(tmp_path: Path) -> None:
    """Examples, border cases and random requests to every method get declared answers: no 5xx, no surprise.

    The product is one of its own, since what changes it would be in the way of other tests.
    """
    with running("--hypervisor", "test") as own:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
        command += [f"{own.url}/openapi.json", "--header", f"Authorization: Bearer {own.token}", "--no-color"]
        command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--max-time", LIMIT]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr


def test_changing_methods_name_what_is_wrong(product: Product) -> None:
    """A method that changes something and is called without an argument, or with a wrong one, says which with 400."""
    headers = {"Authorization": f"Bearer {product.token}"}
    paths = requests.get(f"{product.url}/openapi.json", headers=headers, timeout=10).json()["paths"]
    asked = 0
    for path, schema in ((path, _body(verbs)) for path, verbs in paths.items()):
        for name in schema.get("required", ()):
            for body in _wrong(schema, name):
                answer = requests.post(product.url + path, json=body, headers=headers, timeout=10)
                assert answer.status_code == 400, f"{path} {body}: {answer.status_code} {answer.text}"
                assert answer.json()["detail"]["argument"] == name, f"{path} {body}: {answer.text}"
                asked += 1
    assert asked > 50


def _body(verbs: dict[str, Any]) -> dict[str, Any]:
    operation = verbs.get("post", {})
    if operation.get("x-readonly", True):
        return {}
    found: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return found


def _wrong(schema: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return arguments in which just this one is missing, or an object where something else is wanted."""
    samples = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
    right = {one: samples.get(schema["properties"][one].get("type"), "text") for one in schema["required"]}
    missing = {one: value for one, value in right.items() if one != name}
    wants_object = schema["properties"][name].get("type") in {"object", None}
    return [missing] if wants_object else [missing, {**right, name: {"no": "such"}}]


def test_no_argument_can_cost_its_call_or_its_record(product: Product) -> None:
    """Arguments that the database cannot keep are on record as text, and the call goes on as if they were plain."""
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    odd = {"number": 2**64 - 1, "name": {"\0": 1}, "deep": deep, "long": "x" * 100_000}
    for name, value in odd.items():
        assert product.call("lab/kettle/echo", cupCount=1, extra={name: value}).status_code == 200
        assert product.call("lab/kettle/lock", key="k", cupId={name: value}).status_code == 400
    assert product.call("lab/kettle/lock", key="k", cupId=2**64 - 1).status_code == 400
    rows = product.ask("system/audits/listAudits", user="admin", changes=True, limit=20)
    kept = [row["arguments"]["cupId"] for row in rows if row["call"] == "lab/kettle/lock"][: len(odd) + 1]
    assert kept[0] == str(2**64 - 1)
    assert all(isinstance(value, str) and len(value) <= 2000 for value in kept), kept
