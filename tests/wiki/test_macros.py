"""Macro calls: how they are written, checked, run side by side and contained."""

from __future__ import annotations

import logging
from html import unescape
from typing import Any

import gevent
import pytest
from gevent.event import Event

from portalfw.rest.declaration import Actor, method
from portalfw.wiki.words import read_words
from wiki.pad import GUEST, USER, Pad


def shown(html: str) -> list[str]:
    """Return what the macro echo showed, in order."""
    return [unescape(part.split("</code>")[0]) for part in html.split("<code>")[1:]]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("{{echo}}", (None, 0, None, None)),
        ("{{echo:}}", (None, 0, None, None)),
        ("{{ echo value:a number:3 }}", ("a", 3, None, None)),
        ("{{echo: value:a, number:3}}", ("a", 3, None, None)),
        ("{{echo 'a b' 3}}", ("a b", 3, None, None)),
        ("{{echo value:'it''s' names:a,b}}", ("it's", 0, ["a", "b"], None)),
        ("{{echo value:\"x }} y\" names:'a, b'}}", ("x }} y", 0, ["a", "b"], None)),
        ("{{echo value:${1 + 1} number:${'7'}}}", (2, 7, None, None)),
        ("{{echo value:${ {'a': [1, 2]} }}}", ({"a": [1, 2]}, 0, None, None)),
        ("{{echo value:n-${1 + 1}-${'}'}}}", ("n-2-}", 0, None, None)),
        ("{{echo value:https://x/y?z=1}}", ("https://x/y?z=1", 0, None, None)),
        ("{{echo number:1\nvalue: {a: 1}\nnames: [x, y]\n}}", ({"a": 1}, 1, ["x", "y"], None)),
        ("{{echo\n- a\n- b: '${2}'\n}}", (None, 0, None, ["a", {"b": 2}])),
    ],
)
def test_calls_are_read(pad: Pad, call: str, expected: tuple[Any, ...]) -> None:
    """Every way to write a call gives the same arguments."""
    assert shown(pad.html(call)) == [repr(expected)]


@pytest.mark.parametrize(
    ("call", "line", "message"),
    [
        ("{{nothing}}", 3, "nothing: there is no macro 'nothing'"),
        ("{{echo number:many}}", 3, "argument 'number' must be a whole number, not 'many'"),
        ("{{echo colour:red}}", 3, "there is no argument 'colour'; it takes value, number, names, body"),
        ("{{table}}", 3, "give either api: or data:"),
        ("{{table api:nowhere}}", 3, "argument 'api' must be an API address (app/actor/method), not 'nowhere'"),
        ("{{table api:no/such/method}}", 3, "There is no method no/such/method"),
        ("{{count}}", 3, "argument 'api' is missing"),
        ("{{echo value:'open}}", 3, "the quote ' is not closed"),
        ("{{echo value:${1}", 3, "the call is not closed"),
        ("{{echo\na: [1\n}}", 3, "the body is not YAML"),
        ("{{table api:demo/machines/start}}", 3, "demo/machines/start changes something; a page may only read"),
        ("{{table api:demo/machines/secrets}}", 3, "alice may not do this: needs group admin"),
        ("{{table api:demo/machines/list columns:'name | loud'}}", 3, "there is no format 'loud'"),
        ("{{fields api:demo/machines/get}}", 3, "Argument machineId is missing"),
        ("{{action demo/machines/start values:${ {'id': 3} }}}", 3, "demo/machines/start has no argument 'id'"),
        ("{{broken}}", 3, "wires crossed in Page"),
        ("{{include Missing}}", 3, "There is no page 'Missing'"),
        ("{{include Page}}", 3, None),
    ],
)
def test_a_wrong_macro_is_a_box_in_its_place(pad: Pad, call: str, line: int, message: str | None) -> None:
    """A wrong call shows one box with macro, cause, page, line and id; the page stays 200 and the rest works."""
    view = pad.view(f"before\n\n{call}\n\nafter {{{{echo value:works}}}}\n")
    assert view.status == 200
    html = unescape(str(view.html))
    assert "<p>before</p>" in html
    assert repr(("works", 0, None, None)) in html
    assert html.count('class="macro-error"') >= 1
    assert f"line {line}" in html
    assert "Traceback" not in html
    if message:
        assert message in html


def test_line_numbers_count_front_matter(pad: Pad) -> None:
    """The line in an error box is the line of the file, also behind front matter, code and calls of several lines."""
    text = "---\ntitle: x\nlayout: wide\n---\n\n```\n{{echo}}\n```\n\n{{echo\n- a\n}}\n\n* {{echo oops:1}}\n"
    assert "line 14" in pad.html(text)


def test_an_unforeseen_failure_is_in_the_log(pad: Pad, caplog: pytest.LogCaptureFixture) -> None:
    """The trace of a failure goes to the log under the id that the box shows."""
    with caplog.at_level(logging.INFO, logger="portalfw.wiki"):
        html = pad.html("{{broken}}")
    record = next(record for record in caplog.records if record.exc_info)
    fault_id = record.getMessage().split(":")[0]
    assert fault_id in html
    assert "RuntimeError" not in html


@pytest.mark.parametrize(
    "text",
    [
        "`{{broken}} ${machine.nope}`",
        "``a ` {{broken}}``",
        "```\n{{broken}} ${x} {% for %}\n```",
        "~~~yaml\n{{broken}}\n~~~",
        "text\n\n    {{broken}} ${x.y}\n    {% if %}\n\ntext",
        "<!-- {{broken}} {% if %} -->",
        "\\{{broken}}",
        "{% raw %}{{broken}} ${x}{% endraw %}",
        "{{ 1broken }} {{}} {{ }}",
    ],
)
def test_code_is_never_run(pad: Pad, text: str) -> None:
    """Nothing inside code, comments, raw blocks or behind a backslash is a macro or an expression."""
    html = pad.html(text)
    assert 'class="macro' not in html


def test_indented_text_in_a_list_is_no_code(pad: Pad) -> None:
    """A macro in an indented paragraph of a list item runs."""
    assert shown(pad.html("* item\n\n    {{echo value:1}}\n"))


class Rendezvous(Actor, app="demo"):
    """A meeting point of calls."""

    waiting = 0
    everybody = Event()
    never = Event()

    @method(right="login", readonly=True)
    def meet(self, people: int) -> list[int]:
        """Answer when all have arrived."""
        type(self).waiting += 1
        if self.waiting == people:
            self.everybody.set()
        if not self.everybody.wait(3):
            raise TimeoutError("the others did not come")
        return [people]

    @method(right="login", readonly=True)
    def wait(self) -> list[int]:
        """Never answer."""
        self.never.wait()
        return []


def test_macros_run_side_by_side(pad: Pad) -> None:
    """Ten macros of a page are all under way at once: each waits until the tenth has begun."""
    pad.options = {"actors": (Rendezvous,)}
    html = pad.html("\n\n".join(["{{count demo/rendezvous/meet args:${ {'people': 10} }}}"] * 10))
    assert "macro-error" not in html
    assert Rendezvous.waiting == 10


def test_a_late_macro_is_a_box(pad: Pad) -> None:
    """A macro that does not answer in time is a box that says so; the others are shown."""
    pad.options = {"actors": (Rendezvous,), "deadline": 0.2}
    html = pad.html("{{count demo/rendezvous/wait}}\n\n{{echo value:here}}")
    assert "Waiting for" in html
    assert shown(html) == [repr(("here", 0, None, None))]
    gevent.sleep(0)


def test_topics_come_from_the_calls(pad: Pad) -> None:
    """A macro's wrapper names the topics of its calls and of the data that its arguments read."""
    head = "---\ndata:\n  machine: demo/machines/get machineId:3\n---\n"
    assert 'data-topics="machine:3"' in pad.html(head + "{{echo value:${machine.name}}}")
    assert 'data-topics="machine:3"' in pad.html(head + "{% for t in machine.tags %}{{echo value:${t}}}{% endfor %}")
    assert 'data-topics="machine:3"' in pad.html(head + "{{fields data:machine}}")
    assert 'data-topics="machine"' in pad.html("{{table api:demo/machines/list}}")
    assert 'data-topics=""' in pad.html(head + "{{echo}}")


def test_one_macro_afresh(pad: Pad) -> None:
    """``_macro`` gives one macro in its wrapper, the same as within the page."""
    text = "---\nparams: {id: int}\n---\na {{echo value:1}} b\n\n{{echo value:${id}}}\n"
    html = pad.html(text, id="5")
    assert '<span class="macro" id="macro-echo-1"' in html
    for key, tag in (("echo-1", "span"), ("echo-2", "div")):
        answer = pad.twin("Page", id="5", _macro=key)
        assert answer.status == 200
        assert answer.media_type.startswith("text/html")
        body = answer.body.decode()
        assert body.startswith(f'<{tag} class="macro" id="macro-{key}"')
        assert body in html
        assert f'hx-get="/pad/Page?id=5&amp;_macro={key}"' in body
    assert pad.twin("Page", id="5", _macro="echo-99").status == 404
    assert pad.twin("Page", id="x", _macro="echo-1").status == 400


def test_repeated_macros_have_keys_of_their_own(pad: Pad) -> None:
    """A call in a loop makes one macro a turn, each to be had alone."""
    html = pad.html("{% for n in range(3) %}\n{{echo number:${n}}}\n{% endfor %}")
    assert [f'id="macro-echo-1{end}"' in html for end in ("", "-1", "-2")] == [True] * 3
    assert "(None, 2, None, None)" in unescape(pad.twin("Page", _macro="echo-1-2").body.decode())


def test_the_viewers_rights_hold(pad: Pad) -> None:
    """A macro may what its viewer may, no more."""
    from wiki.pad import ADMIN

    text = "---\nrights: {guest: R}\n---\n{{count demo/machines/secrets}} {{count demo/machines/list}}"
    assert "macro-error" not in pad.html(text, by=ADMIN)
    assert pad.html(text, by=USER).count("macro-error") == 1
    assert pad.html(text, by=GUEST).count("macro-error") == 2


def test_included_pages(pad: Pad) -> None:
    """A page shows another in place, with its macros and its rights, and a circle ends in a box."""
    (pad.space / "Part.md").write_text("Part with {{echo value:2}} and ${1 + 1}\n")
    (pad.space / "Closed.md").write_text("---\nrights: {user: ''}\n---\nnobody sees this\n")
    (pad.space / "Circle.md").write_text("round {{include Circle}}\n")
    html = pad.html("{{include Part}}\n\n{{include Closed}}\n\n{{include Circle}}")
    assert shown(html) == [repr(("2", 0, None, None))]
    assert "and 2" in html
    assert "nobody sees this" not in html
    assert "pages include each other" in html


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_blanks_of_any_kind_part_words(blank: str) -> None:
    """What word processors leave between words, such as a blank that does not break, parts them as a blank does."""
    words, _, closed = read_words(f"one{blank}key:two{blank}}}}}", end="}}")
    assert [(word.key, word.value) for word in words] == [(None, "one"), ("key", "two")]
    assert closed
