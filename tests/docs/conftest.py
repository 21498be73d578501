"""Fixtures of the tests of the space Docs."""

from __future__ import annotations

import pytest
import requests
from product import Product


@pytest.fixture(scope="session")
def reader(product: Product) -> requests.Session:
    """Give a browser's worth of a user who belongs to nothing."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {product.user_token('docs-reader')}"
    return session
