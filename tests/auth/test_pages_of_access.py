"""The pages about users, groups, sessions and tokens can be shown."""

from __future__ import annotations

import pytest
import requests
from product import Product

PAGES = (
    "Users",
    "User?name=admin",
    "Groups",
    "Group?name=admin",
    "Sessions",
    "Tokens",
    "Account",
    "Explain",
    "Settings",
    "Access",
    "Access of?user=admin",
)


@pytest.mark.parametrize("page", PAGES)
def test_page_has_no_error_box(product: Product, page: str) -> None:
    """The administrator sees each page whole, without an error box of a macro."""
    headers = {"Authorization": f"Bearer {product.token}"}
    shown = requests.get(f"{product.url}/system/{page}", headers=headers, timeout=10)
    assert shown.status_code == 200
    assert "macro-error" not in shown.text
    assert "Line " not in shown.text


def test_own_account_is_everybodys_and_the_lists_are_not(product: Product) -> None:
    """A user without groups reaches its own account and explanation, and none of the lists."""
    headers = {"Authorization": f"Bearer {product.user_token('pages.pat')}"}
    statuses = {
        page: requests.get(f"{product.url}/system/{page}", headers=headers, timeout=10).status_code for page in PAGES
    }
    assert {page for page, status in statuses.items() if status == 200} == {"Account", "Explain"}
