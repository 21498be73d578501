"""What Markdown and expressions make of a page's text."""

from __future__ import annotations

import re

import pytest

from wiki.pad import Pad


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a |\n|---|\n| b |", "<td>b</td>"),
        ("```python\nx < 1\n```", '<span class="n">x</span> <span class="o">&lt;</span> <span class="mi">1</span>'),
        ("```brainfuck\n<+\n```", '<pre><code class="language-brainfuck">&lt;+\n</code></pre>'),
        ("```mermaid\nA --> B\n```", '<div class="diagram" data-diagram><pre><code>A --&gt; B\n</code></pre></div>'),
        ("```yaml\na: ${user.name}\n```", "${user.name}"),
        ("~~gone~~ a~~b", "<del>gone</del> a~~b"),
        (
            "> [!TIP]\n> Hot",
            '<div class="admonition tip"><p class="admonition-title">Tip</p><p>Hot',
        ),
        ("![Plan](.files/Home/plan 1.png)", 'src="/pad/.files/Home/plan%201.png"'),
        ("[TOC]\n\n# One\n\n## Two", 'href="#two"'),
        ("term\n:   meaning", "<dd>meaning</dd>"),
        ("text[^1]\n\n[^1]: foot", 'class="footnote'),
        ("# Title {#here}", '<h1 id="here">Title</h1>'),
        ("!!! warning\n    care", 'class="admonition warning"'),
        (
            "- [ ] open\n- [x] done",
            '<li class="task"><input type="checkbox" class="form-check-input" aria-label="Done" disabled checked> done',
        ),
        ("[a](Virtual Machine?id=3&x=1)", 'href="/pad/Virtual%20Machine?id=3&amp;x=1"'),
        ("[a](/grid/Node) [b](#c) [d](?page=2)", 'href="/grid/Node"'),
        ("**${'a' ~ 1 ~ None}**", "<strong>a1</strong>"),
        ("{% for n in range(3) %}\n* ${n}\n{% endfor %}", "<li>2</li>"),
        ("{% if 1 > 2 %}yes{% else %}no{% endif %}", "<p>no</p>"),
        ("${[1, 2] | join(' and ')} ${3 | plural('disk')} ${1 | plural('disk')}", "<p>1 and 2 3 disks 1 disk</p>"),
        ("${2048 | mib} ${'RUNNING' | state}", "2\u00a0GiB"),
        ("${user.name} ${params.q | default('none')}", "<p>alice none</p>"),
        ("${{'a': {'b': 5}}.a.b} ${[7][0]} ${'x' if true else 'y'}", "<p>5 7 x</p>"),
        ("costs $5 and 100 % {braces}", "<p>costs $5 and 100 % {braces}</p>"),
    ],
)
def test_markup(pad: Pad, text: str, expected: str) -> None:
    """The extensions of Markdown and the expressions work."""
    assert expected in pad.html(text)


def test_unknown_names_show_a_dash(pad: Pad) -> None:
    """A variable or field that does not exist leaves a dash with its name, not a broken page."""
    html = pad.html("a ${machien.name} b {% if nothing.at.all %}x{% endif %}")
    assert "machien is not known here" in html or "name is not known here" in html


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}", "too many turns"),
        ("{% for a in range(999999999) %}x{% endfor %}", "range() is limited"),
        ("${range(999999999) | list}", "range() is limited"),
        ("{% set a = 'x' ~ 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "${a}", "makes a text of over"),
        ("{% set a = 'x' %}" + "{% set a = a + a %}" * 60 + "${a}", "makes a text of over"),
        ("{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "${a | length}", "two lists"),
        ("${9 ** 99}", "too large"),
        ("{% set a = 99999 %}" + "{% set a = a * a %}" * 60, "too large"),
        ("${'%999999999d' % 1}", "% works on numbers only"),
        ("${''.join(['a'])}", "not safely callable"),
        ("${'a' | center(999999999)}", "No filter named 'center'"),
        ("${lipsum()}", "not safely callable"),
        ("${range.__globals__}", None),
        ("${''.__class__.__mro__}", None),
        ("${().__class__}", None),
        ("${self}", None),
        ("${cycler}", None),
        ("${params.__class__.__mro__[1].__subclasses__()}", "not safely callable"),
        ("${_record.values}", "the name _record is not available"),
        ("{% set x %}a{% endset %}", "blocks are not available"),
        ("{% filter upper %}a{% endfilter %}", "blocks are not available"),
    ],
)
def test_expressions_are_bounded(pad: Pad, text: str, message: str | None) -> None:
    """An expression can neither run away nor reach Python: it fails with a line, or shows a dash."""
    view = pad.view(text)
    if message:
        assert view.fault is not None
        assert message in view.fault.message
    else:
        assert "is not known here" in str(view.html) or view.fault is not None
        assert not re.search(r"class '|&lt;class|built-in|function", str(view.html))


def test_columns_are_balanced(pad: Pad) -> None:
    """Column marks make columns, and those that are missing or too many do no harm."""
    html = pad.html("{{end}}\n\n{{columns}}\n\nleft\n\n{{column}}\n\nright\n\n{{halves}}\n\nin\n")
    assert html.count("<div") == html.count("</div")
    assert 'class="cols"' in html
    assert 'class="cols cols-half"' in html


def test_contents_list_headings_with_their_values(pad: Pad) -> None:
    """The macro toc lists headings, values in them included, and its links lead to them."""
    html = pad.html("Text.\n\n# One\n\n## Two ${1 + 1}!\n\n{{toc}}\n")
    assert '<h2 id="two-2">' in html
    assert '<a href="#two-2" class="sub">Two 2!</a>' in html


def test_long_texts_are_converted_off_the_hub(pad: Pad) -> None:
    """A text of any length gives the same HTML by thread as directly."""
    text = "# Title\n\nSome **bold** words.\n\n" * 200
    pad.options = {"offload_characters": 10}
    assert pad.html(text).count("<strong>bold</strong>") == 200


def test_layout(pad: Pad) -> None:
    """A page without macros is prose, one with macros is wide, and the front matter may say."""
    assert pad.view("text").layout == "prose"
    assert pad.view("text {{echo}}").layout == "wide"
    assert pad.view("---\nlayout: wide\n---\ntext").layout == "wide"
