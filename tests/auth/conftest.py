"""What the tests of signing in share."""

from __future__ import annotations

import pytest
import requests


@pytest.fixture
def browser() -> requests.Session:
    """A session that says, as browsers do, that its requests come from our own pages."""
    session = requests.Session()
    session.headers["Sec-Fetch-Site"] = "same-origin"
    return session
