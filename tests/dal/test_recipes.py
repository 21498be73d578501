"""The recipes of docs/dal.md run as they stand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from product import REPOSITORY, Product

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_recipes_run(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block of Python runs against the running product, after those before it."""
    blocks = BLOCK.findall((REPOSITORY / "docs" / "dal.md").read_text())
    names: dict[str, Any] = {"url": product.url, "token": product.token}
    for block in blocks:
        exec(compile(block, "docs/dal.md", "exec"), names)  # noqa: S102 - it is our own documentation
    assert len(blocks) == 8
    said = capsys.readouterr().out
    assert "asked to fail" in said
    assert "stdout up 3" in said
    assert "CANCELLED" in said
    assert "again as" in said
