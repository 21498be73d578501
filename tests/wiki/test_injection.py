"""Whatever stands in the data, a page shows it as text."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from wiki.pad import ROWS, USER, Pad

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</div></article><h1>gone</h1>",
    "{{broken}}",
    "{{action demo/machines/delete values:x}}",
    "{{echo value:1}} }}",
    "}} {{broken}}",
    "[click](javascript:alert(1))",
    "javascript:alert(1)",
    " java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "**bold** _it_ `code` # head",
    "# heading\n\n* list\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "${machine.id} {% for x in [1] %}x{% endfor %}",
    "---\ntitle: stolen\n---\n",
    "' onmouseover='alert(1)",
    '" onmouseover="alert(1)" x="',
    "it's 'quoted' \"twice\" key:value other:'x'",
    "a\nb: c\n- d\n}}\n{{broken}}",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "\\{{broken}} \\` \x00 \ue000 \u202e",
    "```\ncode\n```",
    "<!-- comment -->",
    "{ .class #id onclick=x }",
    "[ ] task",
    "a|b||c",
    "🦊 ünïcode " * 50,
]
PAGE = """\
---
title: ${machine.name}
state: ${machine.name}
sub: Here is ${machine.name}, [there](Machines?name=${machine.name})
parent:
  Above: Machines
  ${machine.name}: Machine?name=${machine.name}
data:
  machine: demo/machines/get machineId:3
actions: |
  {{action demo/machines/delete values:${ {'machineId': machine.id} } confirm:${machine.name} label:'Delete it'}}
  {{action demo/machines/start values:${ {'machineId': machine.id} } label:'Start ${machine.name}'}}
---
# Heading ${machine.name}

A ${machine.name} in text, in **${machine.name}**, [a link](Machine?id=${machine.name}), [whole](${machine.name}),
<span title="${machine.name}" class="${machine.name}">span</span> ![${machine.name}](${machine.name})

${machine.name}

| a | b |
|---|---|
| ${machine.name} | plain |

* ${machine.name}

> ${machine.name}

{{echo value:${machine.name} body_is_none_here:1}}

{{echo ${machine.name} 7 }}

{{echo 'before ${machine.name} after'}}

{{echo
- text: ${machine.name}
  more: "x ${machine.name}"
}}

{{fields data:machine
Name: name -> Machine?id={name}
Whole: name -> {name}
Both: "{name} and {name}"
}}

{{table api:demo/machines/list columns:name,tags more:'${machine.name} -> Machines'}}

{{note '${machine.name}'}}
{{toc}}
"""
VOID = frozenset({"meta", "img", "input", "br", "hr", "link", "wbr", "col", "area"})


class Checker(HTMLParser):
    """Collects what a browser would find: tags, attributes, the text, and whether the tags are balanced."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.stray: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.stray.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def looked_at(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    return checker


@pytest.fixture(params=HOSTILE, ids=lambda value: re.sub(r"\W+", "-", value)[:24])
def hostile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    value: str = request.param
    monkeypatch.setitem(ROWS[3], "name", value)
    monkeypatch.setitem(ROWS[3], "tags", [value, value])
    return value


def test_values_stay_text(pad: Pad, hostile: str) -> None:
    """A hostile value adds no tag, no event handler, no address of its own, no macro, and leaves the tags balanced."""
    view = pad.view(PAGE)
    assert view.fault is None
    assert view.head is not None
    html = "".join(str(part) for part in (view.html, view.head.sub, view.head.state, view.head.actions))
    seen = looked_at(html)
    assert not {"script", "iframe", "object", "style", "form!"} & seen.tags
    assert seen.tags <= looked_at(str(_harmless(pad))).tags | {"wbr"}
    assert [name for _, name, _ in seen.attributes if name.startswith("on")] == []
    assert seen.open == []
    assert seen.stray == []
    for _, name, value in seen.attributes:
        if name in {"href", "src"}:
            assert re.match(r"(?:https?:|mailto:|[/#?]|[^:/?#]*(?:[/?#]|$))", value), value
    assert "wires crossed" not in html
    assert "swordfish" not in html
    assert view.title.strip() == hostile.strip()


def _harmless(pad: Pad) -> str:
    kept = dict(ROWS[3])
    ROWS[3].update(name="web-1", tags=["a"])
    try:
        view = pad.view(PAGE, name="Harmless")
    finally:
        ROWS[3].update(kept)
    assert view.head is not None
    return "".join(str(part) for part in (view.html, view.head.sub, view.head.state, view.head.actions))


def test_values_arrive_whole_in_macros(pad: Pad, hostile: str) -> None:
    """An expression in a macro call arrives as exactly one value, in every way to write it."""
    html = pad.html(PAGE)
    shown = [unescape(found) for found in re.findall(r"<code>(\(.*?\))</code>", html, re.DOTALL)]
    rows: list[Any] = [
        (hostile, 7, None, None),
        (f"before {hostile} after", 0, None, None),
        (None, 0, None, [{"text": hostile, "more": f"x {hostile}"}]),
    ]
    assert shown == [repr(row) for row in rows]


def test_printed_values_read_as_they_are(pad: Pad, hostile: str) -> None:
    """What a reader sees in the text is the value itself."""
    html = pad.html("---\ndata:\n  machine: demo/machines/get machineId:3\n---\n<b>${machine.name}</b>\n")
    assert "".join(looked_at(html).text).strip("\n").replace("\r", "") == hostile.strip("\n").replace("\r", "")


def test_query_values_stay_text(pad: Pad) -> None:
    """What stands in the address is shown as text, in the page and in the error about it."""
    text = "---\nparams:\n  q: str?\n  n: int?\n---\n${q} ${params.other}\n"
    assert "<script" not in pad.html(text, q="<script>", other="<script>")
    fault = pad.view(text, n="<script>").fault
    assert fault is not None
    assert fault.status == 400
    assert "n in the address must be a whole number" in fault.message


def test_author_html_is_cleaned(pad: Pad) -> None:
    """HTML of an author loses scripts, handlers, styles and htmx attributes, and keeps what is harmless."""
    html = pad.html(
        '<script>x</script><div onclick="x" style="x" hx-get="/x" data-action="a/b/c" class="box">in</div>\n\n'
        "[bad](javascript:alert(1)) [ok](https://example.org) <iframe src=x></iframe>"
    )
    assert '<div class="box">in</div>' in html
    for bad in ("script", "onclick", "style=", "hx-get", "data-action", "iframe"):
        assert bad not in html
    assert "https://example.org" in html


def test_macro_output_has_no_place_in_attributes(pad: Pad) -> None:
    """A macro call inside a link's address or a title leaves nothing there."""
    html = pad.html('[x]({{echo value:1}}) <span title="{{echo value:1}}">y</span> ![{{echo}}](x.png)')
    assert "<code>" not in html
    assert 'title=""' in html


def test_placeholders_cannot_be_guessed(pad: Pad) -> None:
    """Neither page nor data can write a placeholder, since nothing shows how one looks."""
    from portalfw.wiki.expressions import SECRET

    view = pad.view(
        "{{echo}} ${1} {% raw %}{{echo}}{% endraw %} [a](b{{echo}}) `{{echo}}` # {{echo}}\n# {{echo}} ${2}\n{{toc}}"
    )
    assert SECRET not in str(view)
    assert USER.name not in str(view.html)
