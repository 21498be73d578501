"""The macros that the product brings."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from wiki.pad import GUEST, ROWS, Pad, make_wiki

TABLE = """\
{{table api:demo/machines/list name:machines id:table_demo_machine limit:1 title:All more:'See -> Machines'
columns:
  Name: {field: name, link: 'Machine?id={id}', note: id}
  State: status | state
  Memory: memory | mib
  Created: created | time
  Both: "{name}: {memory} MiB"
actions:
  - {api: demo/machines/start, values: {machineId: "{id}"}, when: "{startable}", reason: It runs}
}}
"""


def test_table(pad: Pad) -> None:
    """A table shows the described columns, links, row actions, and pages through a method that can."""
    html = pad.html(TABLE)
    assert 'id="table_demo_machine"' in html
    assert '<a href="/pad/Machine?id=3">web-1</a> <span class="mute mono fs-xs">3</span>' in html
    assert 'title="HALTED"' in html
    assert "512\u00a0MiB" in html
    assert "web-1: 512 MiB" in html
    assert 'data-action="demo/machines/start"' in html
    assert "db" not in html
    assert 'href="/pad/Page?page-table-1=2"' in html
    second = pad.html(TABLE, **{"page-table-1": "2"})
    assert "/pad/Machine?id=4" in second
    assert 'href="/pad/Page?page-table-1=1"' in second
    assert pad.html(TABLE, **{"page-table-1": "zero"}).count("data-key") == 1
    assert "No machines" in pad.html(TABLE, **{"page-table-1": "999"})


def test_empty_table(pad: Pad, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table without rows says what is missing."""
    monkeypatch.setattr("wiki.pad.ROWS", {})
    for row in list(ROWS):
        monkeypatch.delitem(ROWS, row)
    html = pad.html("{{table api:demo/machines/list empty:'No machines yet' hint:'Create one.'}}")
    assert "No machines yet" in html
    assert "Create one." in html


def test_form_of_an_action(pad: Pad) -> None:
    """A button's dialog asks for what the declaration says and the author did not give."""
    text = """\
{{action demo/machines/create style:primary label:'Create machine'
values: {memory: 1024}
choices: {name: [red, blue]}
}}
"""
    html = pad.html(text)
    assert '<input type="hidden" name="memory" value="1024"' in html
    assert '<select class="form-select" name="name"' in html
    assert '<option value="red">' in html
    assert "data-asks" in html


def test_destructive_actions_ask(pad: Pad) -> None:
    """A method that is declared destructive is a red button that asks first, in the words of its docstring."""
    html = pad.html("{{action demo/machines/delete\nvalues: {machineId: 3}\nconfirm: web-1\n}}")
    assert "btn-danger-quiet" in html
    assert "Delete a machine and its disks." in html
    assert 'data-confirm-name="web-1"' in html


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("{{state RUNNING}}", 'class="state s-ok" title="RUNNING"'),
        ("Now {{count demo/machines/list}} of them", ">2</span> of them"),
        ("{{stats\n- {label: Memory, value: 3, of: 4, unit: of 4 GiB, href: Machines}\n}}", 'value="75.0"'),
        ("{{note 'mind the gap' kind:warning}}", "mind the gap"),
        ("{{note kind:danger\nsome words\n}}", "some words"),
        ("{{cards demo/machines/list name:'name -> Machine?id={id}' status:status}}", 'href="/pad/Machine?id=4"'),
        ("{{card 'Title' 'Text' href:Machines}}", 'href="/pad/Machines"'),
        ("{{history demo/machines/list text:'{name} made' at:created status:status}}", "web-1 made"),
        ("{{log data:${['one', {'text': 'two', 'level': 'error', 'at': 5}]} status:RUNNING}}", "00:00:05.000"),
        (
            "{{fields api:demo/machines/get args:${ {'machineId': 3} } one:true\nName: name | copy\n}}",
            'data-copy="web-1"',
        ),
        ("{{actions\n- {href: Machines, label: All}\n- {api: demo/machines/start, icon: play}\n}}", "bi-play"),
        ("{{nav}}", "/pad/Page"),
    ],
)
def test_macros(pad: Pad, call: str, expected: str) -> None:
    """Each macro shows what its docstring says."""
    html = unescape(pad.html(call))
    assert "macro-error" not in html
    assert expected in html


def test_children(pad: Pad) -> None:
    """``children`` links the pages whose parent is this page."""
    (pad.space / "Child.md").write_text("---\nparent: Page\ntitle: A child\n---\n")
    (pad.space / "Closed.md").write_text("---\nparent: Page\nrights: {user: ''}\n---\n")
    html = pad.html("{{children}}")
    assert '<a href="/pad/Child">A child</a>' in html
    assert "Closed" not in html


def test_login(pad: Pad) -> None:
    """``login`` shows guests the way to the form, and users nothing."""
    text = "---\nrights: {guest: R}\n---\n{{login}}"
    assert 'href="/login?next=/pad/Page"' in pad.html(text, by=GUEST)
    assert "/login" not in pad.html(text)


def test_every_macro_is_documented() -> None:
    """Every shipped macro has a docstring whose first line says what it is, and typed arguments."""
    macros = [macro for macro in make_wiki().macros if macro.name not in {"echo", "broken"}]
    assert len(macros) >= 17
    for macro in macros:
        assert macro.doc.split("\n")[0].endswith("."), macro.name


BULK = """\
{{table api:demo/machines/list name:machines
columns: {Name: name, State: status | state}
bulk:
- {api: demo/machines/start, label: Start, values: {machineId: "{id}"}, when: {status: HALTED, id: [3, 5]}}
- {api: demo/machines/delete, label: Delete, values: {machineId: "{id}"}}
- {api: demo/machines/delete, label: Never, values: {machineId: "{id}"}, when: "{startable}"}
}}
"""


def test_actions_on_several_rows(pad: Pad) -> None:
    """Rows can be picked, and carry what each button sends for them; the bar has the buttons with one dialog each."""
    html = pad.html(BULK)
    picks = {key: json.loads(unescape(one)) for key, one in re.findall(r'value="(\d)" data-pick="([^"]*)"', html)}
    assert picks == {"3": [{"machineId": 3}, {"machineId": 3}, None], "4": [None, {"machineId": 4}, None]}
    assert html.count("data-pick-all") == 1
    assert 'aria-label="Select web-1"' in html
    assert 'data-bulk="1" data-address="demo/machines/delete"' in html
    assert "data-typed" in html
    assert "data-pick" not in pad.html("{{table api:demo/machines/list}}")
    assert "needs api:" in pad.html(BULK.replace("api: demo/machines/start, ", ""))
