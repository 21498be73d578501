"""Formats show values as people say them; the cases read as: value, format, what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from portalfw.wiki.formats import shaped

CASES = [
    ("300", "every", {"text": "every 5\u00a0min", "sort": 300.0}),
    (86400, "every", {"text": "every 24\u00a0h", "sort": 86400.0}),
    ("15 30 3 * * *", "every", {"text": "15 30 3 * * *", "mono": True}),
    ("", "every", {"text": None, "mono": True}),
    (None, "state", {"text": None}),
    ("RUNNING", "state", {"state": "RUNNING"}),
    ("RUNNING", "job", {"state": "RUNNING", "kind": "job"}),
    (1536, "mib", {"text": "1.5\u00a0GiB", "sort": 1536.0}),
    ("many", "number", {"text": "many"}),
]


@pytest.mark.parametrize(("value", "name", "shown"), CASES)
def test_a_value_is_shown_in_its_format(value: Any, name: str, shown: dict[str, Any]) -> None:
    """Numbers get words and units, what is not known a dash, what does not fit its format stays as it is."""
    assert shaped(value, name) == shown
