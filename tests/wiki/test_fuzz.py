"""Pages and values that somebody made up to do harm: nothing crashes, hangs, or becomes script."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portalfw.rest.declaration import Actor, method
from wiki.pad import Pad

LONGEST = 1.0  # seconds of processor time that one page may take
TIMES = 150
PIECES = [
    *("# ", "## ", "- ", "- [ ] ", "1. ", "> ", "> [!NOTE]\n", "    ", "\t", "\n", "\n\n", "***", "__", "~~"),
    *("`", "```", "```python\n", "```mermaid\n", "~~~", "|a|b|\n|-|-|\n", "[^1]", "[^1]: ", "[TOC]"),
    *('!!! note "x"\n    ', ":   ", "[x](", "](", "![", ")", "]", "(", "{#id}", "{: .c onclick=x }", "<", ">"),
    *("&", "&lt;", "&#106;", "\\", "\x00", "\u2028", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
    *('<a href="javascript:alert(1)">', "<svg onload=alert(1)>"),
    *("<div data-action=x hx-get=/x hx-on:click=alert(1)>", "</div>", "<!--", "-->", "<style>"),
    *("<iframe src=/x>", "<math>", "[a](javascript:alert(1))", "[a](data:text/html,<script>)"),
    *("<javascript:alert(1)>", "java\nscript:", "vbscript:x", "${", "}", "${params.q}", "${user.name}"),
    *("${rows}", "${params.q | mono}", "${[1] * 9}", "${'a' ~ params.q}", "${1 // 0}", "{% for a in range(9) %}"),
    *("{% endfor %}", "{% if params.q %}", "{% else %}", "{% endif %}", "{% set a = 1 %}", "{%", "{{", "}}"),
    *("{{note ", "{{table data:", "{{toc}}", "{{state ", "{{columns}}\n", "{{column}}\n", "{{tabs}}\n", "{{tab "),
    *("{{end}}\n", "{{include Page}}", "{{include Page#", "{{card title:", "{{gauge ", "{{graph\n- "),
    *("{{nothing}}", "text:'", '"', "'", "a: b", "label: ${params.q}", "[[", "wort", "http://x.y", "---\n"),
    *("title: x\n", "\n}}\n", "\ud800"),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=40).map("".join)
FORBIDDEN = {"script", "iframe", "object", "embed", "style", "link", "meta", "base", "math", "foreignobject"}
ADDRESSES = {"href", "src", "action", "formaction", "xlink:href"}


class Guard(HTMLParser):
    """Reads HTML as a browser does and complains about whatever could run."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in FORBIDDEN, self.get_starttag_text()
        macro = dict(attrs).get("class") == "macro"
        for name, value in attrs:
            assert not name.startswith("on"), self.get_starttag_text()
            assert name not in {"style", "srcdoc"}, self.get_starttag_text()
            assert macro or not name.startswith(("hx-", "data-hx-")), self.get_starttag_text()
            scheme = "".join((value or "").split()).lower().partition(":")[0]
            assert name not in ADDRESSES or scheme not in {"javascript", "data", "vbscript"}, self.get_starttag_text()


def check(html: str) -> None:
    guard = Guard(convert_charrefs=True)
    guard.feed(html)
    guard.close()


class Hostile(Actor, app="demo"):
    """Answers what a test made up."""

    value: ClassVar[Any] = ""

    @method(right="login", readonly=True)
    def rows(self) -> list[dict[str, Any]]:
        """Return one row of the value."""
        return [{"id": self.value, "name": self.value, "status": self.value, "at": self.value, "label": self.value}]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Pad:
    pad = Pad(Path(tmp_path_factory.mktemp("fuzz")))
    pad.options = {"actors": (Hostile,)}
    pad.html("```python\nwarm = 'up'\n```")
    return pad


def shown(pad: Pad, text: str, **params: str) -> str:
    """Show a page within the time; a page that says what is wrong with it is fine."""
    text = text.encode("utf-8", "replace").decode()  # half characters cannot be stored or sent
    params = {name: value.encode("utf-8", "replace").decode() for name, value in params.items()}
    began = time.process_time()
    view = pad.view(text, **params)
    took = time.process_time() - began
    assert took < LONGEST, f"{took:.1f} s for {text!r}"
    html = f"{view.html}{view.head.sub or '' if view.head else ''}{view.head.state or '' if view.head else ''}"
    check(html)
    return html


@pytest.mark.timeout(120)
@settings(
    max_examples=TIMES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(text=TEXTS, value=TEXTS)
def test_any_text_is_a_page(page: Pad, text: str, value: str) -> None:
    """Whatever somebody writes becomes a page, or a page that says what is wrong; soon, and without script."""
    shown(page, text, q=value)


PLACES = """\
---
title: ${params.q}
state: ${params.q}
sub: In [${params.q}](${params.q}), ${params.q | mono} [x](Page?id=${params.q})
data: {rows: demo/hostile/rows}
---
{{toc}}

# ${params.q}

${params.q} **${params.q}** `${params.q}`
[${params.q}](${params.q}) [y](/x/${params.q}#${params.q}) ![${params.q}](${params.q})

| a |
|---|
| ${params.q} |

<a href="${params.q}" title="${params.q}" class="${params.q}">x</a>

{{note text:${params.q} title:${params.q}}}

{{state ${params.q}}}

{{table data:rows title:${params.q}
columns: {Name: 'name -> {name}', State: status | state, Both: '{name} {id}', Link: 'id -> Page?id={id}', At: at | time}
actions:
- {href: 'Page?id={id}', label: '${params.q}'}
}}

{{table api:demo/hostile/rows}}

{{cards data:rows name:'name -> {name}' two:name status:status}}

{{action demo/machines/start label:${params.q} title:${params.q} goto:${params.q}
values: {machineId: "${params.q}"}
}}

{{card title:${params.q} text:${params.q} href:${params.q}}}

{{history data:rows text:name status:status two:name at:at}}

{{graph
- "${params.q} -> ${params.q}: ${params.q}"
}}

{{chart title:${params.q} unit:${params.q}
data: [{label: "${params.q}", points: [[1, 2], [2, 3]]}]
}}

{{gauge 3 label:${params.q} unit:${params.q}}}

{{tabs}}

{{tab ${params.q}}}

{{end}}
"""


@pytest.mark.timeout(120)
@settings(
    max_examples=TIMES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(value=TEXTS)
def test_any_value_stays_a_value(page: Pad, value: str) -> None:
    """A value of the address, or of a method's answer, is text wherever it stands."""
    Hostile.value = value.encode("utf-8", "replace").decode()
    html = shown(page, PLACES, q=Hostile.value)
    assert "<script>" not in html.lower()
