"""Macro calls that are changed by their forms, in the editor of the running product."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from product import Product

from .writers import SPACE, Writers, editing, text_of, write

pytestmark = pytest.mark.browser

PAGE = """---
actions: |
  {{actions
  - {api: system/pages/create, label: New}
  }}
---
There are {{count api:system/usermanager/listUsers}} users.

{{table system/usermanager/listUsers name:users title:'All ${"us" ~ "ers"}', odd:1
# what operators want
columns:   # of each
  Name: {field: name, link: "User?name={name}"}
  # by name
  Groups: groups
args: {}  # none
}}

{{fields data:thing
Name: name
}}
"""
CHANGED = """---
actions: |
  {{actions
  - {api: system/pages/create, label: Newer}
  - {api: system/pages/save}
  }}
---
There are {{count api:system/usermanager/listUsers
args: {active: true}
}}
 users.

{{table system/usermanager/listUsers title:'All ${"us" ~ "ers"} isn''t one', odd:1 hint:"Nobody: nothing" wide:true
# what operators want
columns:   # of each
  Name: {field: name, link: "User?name={name}"}
  # by name
  Groups: groups
args: {}  # none
}}

{{fields data:thing title:"The thing"
Name: name
Age: age
}}
"""


def test_calls_are_changed_by_their_forms(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """A form filled from the call under the cursor writes back what was changed in it, and nothing else."""
    name = new_page("# Calls\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    write(page, PAGE)
    form = form_at(page, "- {api", "actions")
    form.get_by_label("body").fill("- {api: system/pages/create, label: Newer}\n- {api: system/pages/save}")
    change(page, form)
    form = form_at(page, "{{count", "count")
    expect(form.get_by_label("api")).to_have_value("system/usermanager/listUsers")
    form.get_by_label("args").fill("{active: true}")
    change(page, form)
    form = form_at(page, "# by name", "table")
    expect(form.get_by_label("api")).to_have_value("system/usermanager/listUsers")
    expect(form.get_by_label("columns")).to_have_value(
        'Name: {field: name, link: "User?name={name}"}\n# by name\nGroups: groups'
    )
    form.get_by_label("title").fill('All ${"us" ~ "ers"} isn\'t one')
    form.get_by_label("wide").select_option("true")
    form.get_by_label("hint").fill("Nobody: nothing")
    form.get_by_role("textbox", name="name", exact=True).fill("")
    change(page, form)
    form = form_at(page, "Name: name", "fields")
    form.get_by_label("title").fill("The thing")
    form.get_by_label("body").fill("Name: name\nAge: age")
    change(page, form)
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts")).to_contain_text("Page saved")
    assert text_of(product, name) == CHANGED


def test_a_form_is_offered_where_there_is_a_call(writers: Writers, new_page: Callable[[str], str]) -> None:
    """Buttons lead to the form from a call only; it says what it cannot write, and Escape leaves the text as it is."""
    name = new_page("# Words\n\nwords\n\n{{fields data:thing\nName: name\n}}\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}", width=390))
    button = page.locator(".pane-source [data-edit-macro]")
    page.locator(".cm-line", has_text="data:thing").click()
    button.click()
    form = page.get_by_role("form", name="Call of fields")
    form.get_by_label("fields").fill("A: b\nC: d")
    form.get_by_role("button", name="Change macro").click()
    expect(form.get_by_role("alert")).to_contain_text("body already")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(page.get_by_label("Text of the page")).to_be_focused()
    page.locator(".cm-line", has_text="words").last.click()
    expect(button).to_be_hidden()
    page.keyboard.press("Control+Shift+M")
    expect(form).to_have_count(0)


def form_at(page: Page, line: str, macro: str) -> Locator:
    """Put the cursor in a line and press the key that opens the form of the call there."""
    page.locator(".cm-line", has_text=line).first.click()
    expect(page.locator(".pane-source [data-edit-macro]")).to_be_visible()
    page.keyboard.press("Control+Shift+M")
    return page.get_by_role("form", name=f"Call of {macro}")


def change(page: Page, form: Locator) -> None:
    form.get_by_role("button", name="Change macro").click()
    expect(page.get_by_label("Text of the page")).to_be_focused()
