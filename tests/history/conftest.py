"""Fixtures of the tests of editing: a space, and people who may read, write and administer it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from product import Product

SPACE = "notes"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class People:
    """Tokens of those who may read, write, and administer the space, and of one who may nothing."""

    reader: str
    writer: str
    keeper: str
    stranger: str


@dataclass(frozen=True)
class Pad:
    """The space ``notes`` of a product, written to by its methods."""

    product: Product
    people: People

    def ask(self, method: str, token: str | None = None, **arguments: Any) -> Any:
        """Call a method of pages, by default as the writer, and return the answer."""
        answer = self.call(method, token, **arguments)
        assert answer.status_code == 200, f"{method} {arguments}: {answer.status_code} {answer.text}"
        return answer.json()

    def call(self, method: str, token: str | None = None, **arguments: Any) -> requests.Response:
        """Call a method of pages, or ``actor/method`` of the system."""
        address = f"system/{method}" if "/" in method else f"system/pages/{method}"
        return self.product.call(address, token or self.people.writer, **{"space": SPACE, **arguments})

    def refused(self, method: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Call what must be refused; return the error with its status."""
        answer = self.call(method, token, **arguments)
        assert answer.status_code >= 400, answer.text
        body: dict[str, Any] = {**answer.json(), "status": answer.status_code}
        return body

    def get(self, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """GET an address, by default as the writer."""
        headers = {"Authorization": f"Bearer {token or self.people.writer}"}
        return requests.get(self.product.url + path, headers=headers, timeout=20, **options)

    def text(self, page: str) -> str:
        """Return the source of a page."""
        return str(self.ask("get", self.people.keeper, page=page)["text"])

    def rewrite(self, page: str, text: str, **arguments: Any) -> Any:
        """Save a page over what it is now."""
        return self.ask("save", page=page, text=text, base=self.ask("get", page=page)["revision"], **arguments)


@pytest.fixture(scope="session")
def people(product: Product) -> People:
    groups = {"reader": "level2", "writer": "level1", "keeper": "level3", "stranger": "user"}
    return People(**{name: product.user_token(f"notes-{name}", group) for name, group in groups.items()})


@pytest.fixture
def pad(product: Product, people: People) -> Pad:
    return Pad(product, people)


@pytest.fixture
def new_page(pad: Pad) -> Callable[..., str]:
    """Give a function that makes a page of a text under a name that no test has had yet, and returns the name."""

    def make(text: str = "one\ntwo\nthree\n", **arguments: Any) -> str:
        name = f"Page {next(_numbers)}"
        pad.ask("create", arguments.pop("token", None), page=name, text=text, **arguments)
        return name

    return make
