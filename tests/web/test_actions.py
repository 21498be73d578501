"""Buttons that call REST methods, and pages that keep themselves fresh."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.browser


def test_dialog_posts_and_shows_a_field_error(desk: Desk) -> None:
    """The dialog posts typed JSON, shows a refusal next to its field, and leads to the new object once accepted."""
    page = desk.visit("/machines")
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Web 1")
    dialog.get_by_role("button", name="Create machine").click()
    problem = dialog.locator("[data-field=name] .field-error")
    expect(problem).to_be_visible()
    expect(problem).to_have_text("Use lower case letters, digits and dashes.")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill("web-1")
    expect(problem).to_be_hidden()
    dialog.get_by_role("button", name="Create machine").click()
    page.wait_for_url("**/machine?id=7")
    expect(page.locator("#toasts")).to_contain_text("Machine created")
    assert desk.portal.posted[-1] == (
        "cloudapi/machines/create",
        {"cloudspaceId": 4, "name": "web-1", "sizeId": 2, "disksize": 10},
    )
    desk.complaints.clear()  # the browser logs every 400


def test_missing_field_is_not_sent(desk: Desk) -> None:
    """A needed field that is empty is named before anything is sent."""
    page = desk.visit("/machines")
    page.keyboard.press("c")
    page.get_by_role("dialog").get_by_role("button", name="Create machine").click()
    expect(page.get_by_text("This is needed.")).to_be_visible()
    assert desk.portal.posted == []


def test_delete_wants_the_name(desk: Desk) -> None:
    """A destructive action works only after the name of the object was typed."""
    page = desk.visit("/machine")
    page.click(".page-head [data-menu-button]")
    page.get_by_role("button", name="Delete machine").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Delete machine")
    expect(confirm).to_be_disabled()
    dialog.get_by_role("textbox").fill("web-01")
    confirm.click()
    page.wait_for_url("**/machines")
    assert desk.portal.posted == [("cloudapi/machines/delete", {"machineId": 3})]


def test_action_without_a_question(desk: Desk) -> None:
    """An action with nothing to ask is sent at once and says that it was done."""
    page = desk.visit("/machine")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#toasts")).to_contain_text("Stopped")
    assert desk.portal.posted == [("cloudapi/machines/stop", {"machineId": 3})]


def test_refused_action_says_why(desk: Desk) -> None:
    """An action refused by the state of its object says why in a dialog, with the id of the error."""
    page = desk.visit("/machines")
    page.locator("tr", has_text="web-02").locator("[data-menu-button]").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("only a HALTED one can be started")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Error r2")
    desk.complaints.clear()  # the browser logs every 409


def test_disabled_action_says_why(desk: Desk) -> None:
    """A button that cannot be pressed now says why."""
    page = desk.visit("/machine")
    button = page.get_by_role("button", name="Start")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", "It runs already")


def test_change_refreshes_what_shows_it(desk: Desk) -> None:
    """A change of a machine renders the macros that show it afresh, lights the row, and leaves the rest alone."""
    page = desk.visit_live("/machines")
    assert desk.portal.topics == ["machine"]
    desk.portal.states["web-02"] = "HALTED"
    desk.portal.change("machine:3")
    row = page.locator("tr", has_text="web-02")
    expect(row).to_contain_text("Halted")
    expect(page.locator("tr.fresh")).to_have_count(1)
    expect(page.locator("tr.fresh")).to_have_count(0)
    for state in ("STARTING", "RUNNING"):
        desk.portal.states["web-02"] = state
        desk.portal.change("machine:3")
        expect(row).to_contain_text(state.capitalize())


def test_change_during_a_refresh_is_not_lost(desk: Desk) -> None:
    """What changes while a macro is being rendered afresh is shown too."""
    page = desk.visit_live("/machines")
    desk.portal.states["web-02"] = "HALTED"
    with desk.portal.slow:
        desk.portal.change("machine:3")
        assert desk.portal.rendered.wait(5)
        desk.portal.states["web-02"] = "PAUSED"
        desk.portal.change("machine:3")
        page.wait_for_timeout(300)  # the second change reaches the page while the first answer is still on its way
    expect(page.locator("tr", has_text="web-02")).to_contain_text("Paused")


def test_topics_of_one_object(desk: Desk) -> None:
    """A page about machine 3 is not rendered afresh for machine 4."""
    page = desk.visit_live("/machine")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "_macro" in request.url else None)
    desk.portal.change("machine:4")
    with page.expect_response(re.compile("_macro=facts")):
        desk.portal.change("machine:3")
    assert {url.split("_macro=")[1] for url in asked} <= {"head", "facts"}
    assert desk.portal.topics == ["disk", "job", "job_output", "machine:3"]


def test_filter_survives_a_refresh(desk: Desk) -> None:
    """What was typed into a filter, and the focus in it, outlive the refresh of the table."""
    page = desk.visit_live("/machines")
    page.keyboard.press("/")
    page.keyboard.type("web-0")
    desk.portal.states["web-02"] = "PAUSED"
    desk.portal.change("machine:3")
    expect(page.locator("tr", has_text="web-02")).to_contain_text("Paused")
    page.keyboard.type("2")
    expect(page.locator("[data-filter]")).to_have_value("web-02")
    expect(page.locator("tbody tr:visible")).to_have_count(1)


def test_dialog_survives_a_refresh(desk: Desk) -> None:
    """An open dialog stays as it is while the macro of its button is rendered afresh."""
    page = desk.visit_live("/machines")
    page.keyboard.press("c")
    page.get_by_role("dialog").get_by_label("Name").fill("half-typed")
    desk.portal.states["web-02"] = "ERROR"
    desk.portal.change("machine:3")
    expect(page.locator("tr", has_text="web-02")).to_contain_text("Error")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value("half-typed")


def test_lost_connection_is_told_and_mended(desk: Desk) -> None:
    """A lost stream shows on the live line while the values stay; back again, everything is asked for afresh."""
    page = desk.visit_live("/machines")
    desk.portal.broken = True
    expect(page.locator("#live")).to_contain_text("Lost the connection")
    expect(page.locator("tbody tr")).to_have_count(16)
    desk.portal.states["web-02"] = "HALTED"
    desk.portal.broken = False
    expect(page.locator("#live")).to_have_text("Live", timeout=8000)
    expect(page.locator("tr", has_text="web-02")).to_contain_text("Halted")
    desk.complaints.clear()  # the browser logs the refused stream
