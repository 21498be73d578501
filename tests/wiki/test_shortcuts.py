"""What is left out to show a page sooner changes nothing of what it shows."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown import Markdown

from portalfw.wiki.dialect import EXTENSIONS, PageMarkdown, Struck
from portalfw.wiki.expressions import compile_text, environment
from portalfw.wiki.record import Recorder
from portalfw.wiki.scan import scan
from wiki.test_fuzz import TEXTS

PLAIN = settings(
    max_examples=150, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
OURS = PageMarkdown()
THEIRS = Markdown(extensions=[*EXTENSIONS, "toc", Struck()], output_format="html")
MARKS = [*'ab1 .#-*_`~[]()!<>&;\\|:^{}\r\n\t/@="\x00\x02\x03', "  \n", "[TOC]", "[^1]", "![", "\n\n", "~~"]
SOUP = st.lists(st.sampled_from(MARKS), max_size=60).map("".join)


@pytest.mark.timeout(120)
@PLAIN
@given(text=TEXTS | SOUP)
def test_the_same_html(text: str) -> None:
    """A text becomes what the library makes of it when it tries all its patterns."""
    assert OURS.reset().convert(text) == THEIRS.reset().convert(text)
    assert OURS.toc_tokens == THEIRS.toc_tokens  # type: ignore[attr-defined] # set by the extension


@pytest.mark.timeout(120)
@PLAIN
@given(text=SOUP)
def test_the_same_text(text: str) -> None:
    """A text without expressions stays what it is, as Jinja would leave it."""
    text = text.replace("{{", "{ ")
    compiled = compile_text(scan(text, 1), 1)
    assert compiled.template is None
    recorder = Recorder(compiled, str, prefix="", steps=10)  # type: ignore[arg-type] # nothing is shown
    assert compiled.run({}, recorder, limit=10_000) == environment().from_string(text).render()
