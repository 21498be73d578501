"""What is drawn once stays safe: only what is the same in kind and words is taken for the same."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import DictLoader, Environment
from markupsafe import Markup

from portalfw.wiki.once import Once

PARTS = "{% macro cell(v) %}<td>{{ v }}</td>{% endmacro %}"


@pytest.fixture
def once() -> Once:
    """Return one over a template with one macro."""
    return Once(Environment(loader=DictLoader({"parts": PARTS}), autoescape=True))


def test_a_text_is_never_taken_for_safe_html(once: Once) -> None:
    """HTML that a template has made stays as it is, the same words from somebody else are escaped, in either order."""
    made = Markup("{}").format(Markup("<b>{}</b>").format("x"))
    for value in (made, str(made), made, ["Markup", str(made)], {"Markup": str(made)}):
        drawn = once("parts", "cell", value)
        assert ("<b>" in drawn) is isinstance(value, Markup)


@pytest.mark.parametrize("value", [2**70, "\ud800", 1, "1", True, None, 1.0])
def test_whatever_the_value_it_is_drawn_as_without_keeping(once: Once, value: Any) -> None:
    """Numbers beyond 64 bits and half characters are drawn too; what looks alike is not mixed up."""
    for other in (1, "1", True, None, 1.0):
        once("parts", "cell", other)
    assert once("parts", "cell", value) == f"<td>{value}</td>" == once("parts", "cell", value)
