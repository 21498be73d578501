"""The editor of pages, in a browser on the running product."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from product import Product

from .writers import SPACE, Writers, editing, text_of, write

pytestmark = pytest.mark.browser
SAVE = re.compile(r"^Save")


def test_from_the_page_to_a_commit(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """E opens the editor, the preview follows with macros and all, and saving is a commit with author and message."""
    name = new_page("# Before\n\nOld words.\n")
    page = writers.admin(f"/{SPACE}/{name}")
    expect(page.get_by_role("heading", name="Before")).to_be_visible()
    page.keyboard.press("e")
    editing(page)
    expect(page.locator("#preview h1")).to_have_text("Before")
    write(page, "# After\n\nNew words.\n\n{{children}}\n")
    expect(page.locator("#preview h1")).to_have_text("After")
    expect(page.locator("#preview")).to_contain_text("No pages")  # what the macro says
    page.get_by_label("What changed?").fill("Say it anew")
    page.get_by_role("button", name=SAVE).click()
    expect(page.locator("#toasts")).to_contain_text("Page saved")
    assert text_of(product, name).startswith("# After\n\nNew words.")


def test_nothing_is_lost_when_a_tab_crashes(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """What was typed is there again when the page is edited the next time, and one may go back to the saved page."""
    name = new_page("# Calm\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    write(page, "# Storm\n")
    expect(page.locator("#kept")).to_contain_text("Draft saved")
    again = page.context.new_page()
    writers.watch(again)
    page.close()  # without running what a page may do when it is left
    again.goto(f"/edit/{SPACE}/{name}")
    editing(again)
    expect(again.get_by_label("Text of the page")).to_contain_text("# Storm")
    expect(again.locator("#notes")).to_contain_text("This is your draft")
    again.get_by_role("button", name="Take the saved page instead").click()
    expect(again.get_by_label("Text of the page")).to_contain_text("# Calm")
    assert text_of(product, name) == "# Calm\n"


def test_leaving_asks(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """Who closes the editor with text that is not saved is asked; who throws the text away leaves no draft."""
    name = new_page("# Stay\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    write(page, "# Go\n")
    page.locator("#close").click()
    page.get_by_role("button", name="Keep writing").click()
    expect(page.get_by_label("Text of the page")).to_contain_text("# Go")
    expect(page.locator("#kept")).to_contain_text("Draft saved")
    page.locator("#close").click()
    page.get_by_role("button", name="Throw my text away").click()
    expect(page.get_by_role("heading", name="Stay")).to_be_visible()
    assert product.ask("system/pages/draft", space=SPACE, page=name) is None


def test_two_write_in_different_places(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """What somebody else saved meanwhile is told, and is in the text after one's own save."""
    name = new_page("# One\n\nfirst\n\n\n\nlast\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    before = product.ask("system/pages/get", space=SPACE, page=name)
    product.ask(
        "system/pages/save", space=SPACE, page=name, text="# One\n\nfirst\n\n\n\nend\n", base=before["revision"]
    )
    expect(page.locator("#notes")).to_contain_text("saved meanwhile")
    write(page, "# Won\n\nfirst\n\n\n\nlast\n")
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts")).to_contain_text("with what others changed")
    expect(page.get_by_label("Text of the page")).to_contain_text("end")
    assert text_of(product, name) == "# Won\n\nfirst\n\n\n\nend\n"


def test_two_write_in_the_same_place(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """A conflict shows theirs, mine and how it was before; what is chosen of both is saved."""
    name = new_page("# Tea\n\nIt is green.\n")
    product.user_token("rival", "level1")
    rival = editing(writers.sign_in("rival", "rival-password", f"/edit/{SPACE}/{name}"))
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    expect(page.locator("#notes")).to_contain_text("rival is editing this page")
    write(rival, "# Tea\n\nIt is black.\n")
    rival.keyboard.press("Control+s")
    expect(rival.locator("#toasts")).to_contain_text("Page saved")
    write(page, "# Tea\n\nIt is white.\n")
    page.keyboard.press("Control+s")
    merge = page.get_by_role("dialog")
    expect(merge).to_contain_text("saved by somebody else")
    expect(merge.get_by_label("The other text")).to_contain_text("black")
    expect(merge.get_by_label("Your text", exact=True)).to_contain_text("white")
    merge.get_by_role("button", name="Before both").click()
    expect(merge.get_by_label("The other text")).to_contain_text("green")
    merge.get_by_role("button", name="Theirs").click()
    merge.get_by_role("button", name="Take this into your text").first.click()
    expect(merge.get_by_label("Your text", exact=True)).to_contain_text("black")
    merge.get_by_label("Your text", exact=True).press("Control+End")
    page.keyboard.insert_text("And white.")
    merge.get_by_role("button", name="Save merged text").click()
    expect(page.locator("#toasts")).to_contain_text("Page saved")
    assert text_of(product, name) == "# Tea\n\nIt is black.\nAnd white.\n"


def test_the_lock_is_taken_over(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """Who edits is shown to others at once, also that somebody took over."""
    name = new_page("# Lock\n")
    product.user_token("first", "level1")
    first = editing(writers.sign_in("first", "first-password", f"/edit/{SPACE}/{name}"))
    expect(first.locator("#live")).to_have_text("Live")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    page.get_by_role("button", name="Take over").click()
    expect(page.locator("[data-note=lock]")).to_have_count(0)
    expect(first.locator("#notes")).to_contain_text("admin took over")


def test_no_right_no_button(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """Who may only read sees no button, and a page that says why instead of the editor; guests sign in first."""
    name = new_page("# Closed\n")
    product.user_token("only-reader", "level2")
    page = writers.sign_in("only-reader", "only-reader-password", f"/{SPACE}/{name}")
    expect(page.get_by_role("heading", name="Closed")).to_be_visible()
    expect(page.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    page.keyboard.press("e")
    answer = page.goto(f"/edit/{SPACE}/{name}")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", name="You may not edit this page")).to_be_visible()
    page.get_by_role("link", name=f"Go to {name}").click()
    expect(page.get_by_role("heading", name="Closed")).to_be_visible()


def test_a_new_page(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """New page asks for a name; the page is made by the first save, and is not there before."""
    name = new_page("# Old\n")
    page = writers.admin(f"/{SPACE}/{name}")
    page.get_by_role("button", name="Page", exact=True).click()
    page.get_by_role("button", name="New page").click()
    page.get_by_label("Name").fill(f"{name} reborn")
    page.get_by_role("button", name="Write page").click()
    editing(page)
    expect(page.get_by_label("Text of the page")).to_contain_text(f"# {name} reborn")
    assert product.call("system/pages/get", space=SPACE, page=f"{name} reborn").status_code == 404
    page.keyboard.press("Control+End")
    page.keyboard.type("Fresh.")
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts")).to_contain_text("Page saved")
    page.locator("#close").click()
    expect(page.locator("article")).to_contain_text("Fresh.")


def test_mistakes_are_marked(writers: Writers, new_page: Callable[[str], str]) -> None:
    """What is wrong is counted, marked at its line, and a click leads there; the last good preview stays."""
    name = new_page("# Fine\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    expect(page.locator("#preview h1")).to_have_text("Fine")
    write(page, "# Fine\n\ntext\n\n${1 +}\n")
    expect(page.locator("#problems")).to_have_text("1 problem")
    expect(page.locator("#preview h1")).to_have_text("Fine")
    page.locator("#problems").click()
    expect(page.locator("#where")).to_have_text("Ln 5, Col 1")
    page.keyboard.press("Control+s")
    expect(page.locator("#notes")).to_contain_text("Line 5")
    write(page, "# Fine\n\n{{children pge:Home}}\n")
    expect(page.locator("#preview .macro-error")).to_contain_text("pge")
    expect(page.locator(".cm-lintRange-error")).to_have_text("pge")


def test_an_image_is_pasted(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """A pasted image is attached to the page, linked where the cursor is, and seen in the preview."""
    name = new_page("# Picture\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    page.get_by_label("Text of the page").press("Control+End")
    page.evaluate("""async () => {
        const canvas = new OffscreenCanvas(8, 8);
        canvas.getContext("2d").fillRect(0, 0, 8, 8);
        const data = new DataTransfer();
        data.items.add(new File([await canvas.convertToBlob({type: "image/png"})], "image.png", {type: "image/png"}));
        const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
        document.querySelector(".cm-content").dispatchEvent(paste);
    }""")
    expect(page.locator("#preview img")).to_have_js_property("naturalWidth", 8)
    files = product.ask("system/pages/attachments", space=SPACE, page=name)
    assert [one["name"] for one in files] == ["image.png"]


def test_completion(writers: Writers, new_page: Callable[[str], str]) -> None:
    """Macros, their arguments and values, methods and pages are offered, by the keyboard alone."""
    name = new_page("# Words\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    offered = page.locator(".cm-tooltip-autocomplete")
    page.keyboard.press("Control+End")
    page.keyboard.type("{{cou")
    expect(offered).to_contain_text("count")
    accept(page, "count")
    page.keyboard.type("ap")
    accept(page, "api")
    page.keyboard.type("system/pages/drafts")
    accept(page, "system/pages/drafts")
    expect(page.get_by_label("Text of the page")).to_contain_text("{{count api:system/pages/drafts}}")
    page.keyboard.press("End")
    page.keyboard.type(f"\n\n[see]({name}")
    accept(page, name)
    expect(page.get_by_label("Text of the page")).to_contain_text(f"[see]({name})")


def accept(page: Page, label: str) -> None:
    """Take what is offered once it is the chosen one."""
    chosen = page.locator(".cm-tooltip-autocomplete [aria-selected]")
    expect(chosen.locator(".cm-completionLabel")).to_have_text(label)
    page.wait_for_timeout(100)  # CodeMirror takes no key for what it has offered for less than 75 ms
    page.keyboard.press("Enter")


def test_the_macro_browser_writes_a_call(writers: Writers, new_page: Callable[[str], str]) -> None:
    """A macro found by its name is filled in by a form of its arguments, and its call stands in the text."""
    name = new_page("# Forms\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    page.get_by_label("Text of the page").press("Control+End")
    page.get_by_label("Search macros").fill("card")
    page.get_by_role("option", name=re.compile("^card ")).click()
    page.get_by_role("button", name="Insert card").click()
    expect(page.get_by_label("title")).to_be_focused()  # it is needed
    page.get_by_label("title").fill("All machines")
    page.get_by_label("href").fill("Home")
    page.get_by_role("button", name="Insert card").click()
    expect(page.get_by_label("Text of the page")).to_contain_text('{{card title:"All machines" href:Home}}')
    expect(page.locator("#preview")).to_contain_text("All machines")


def test_a_narrow_screen_has_tabs(writers: Writers, new_page: Callable[[str], str]) -> None:
    """On a phone text and preview take turns."""
    name = new_page("# Narrow\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}", width=390))
    expect(page.locator("#preview")).to_be_hidden()
    page.get_by_role("tab", name="Preview").click()
    expect(page.locator("#preview h1")).to_have_text("Narrow")
    expect(page.get_by_label("Text of the page")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_reading_loads_nothing_of_the_editor(writers: Writers, new_page: Callable[[str], str]) -> None:
    """A page that is read loads no script of the editor."""
    name = new_page("# Light\n")
    page = writers.admin("/")
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(f"/{SPACE}/{name}")
    expect(page.get_by_role("heading", name="Light")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not [url for url in loaded if re.search(r"/bundle/(editor|chunk|merge)", url)]


def test_keyboard_only(writers: Writers, new_page: Callable[[str], str]) -> None:
    """A page is found, edited, saved and left without a mouse."""
    name = new_page("# Keys\n\nwords\n")
    page = writers.admin(f"/{SPACE}/{name}")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("e")
    editing(page)
    page.keyboard.press("Control+End")
    page.keyboard.type("typed")
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts")).to_contain_text("Page saved")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")  # out of the text, backwards
    expect(page.get_by_role("textbox", name="Text of the page")).not_to_be_focused()
    page.locator("#close").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_contain_text("typed")


def test_a_page_with_arguments(writers: Writers, new_page: Callable[[str], str]) -> None:
    """A page that needs arguments is previewed with those it was shown with, and closing leads back to them."""
    name = new_page("---\nparams:\n  id: int\n---\n# Number ${id}\n")
    page = writers.admin(f"/{SPACE}/{name}?id=7")
    page.get_by_role("link", name="Edit", exact=True).click()
    editing(page)
    expect(page.locator("#preview h1")).to_have_text("Number 7")
    page.locator("#close").click()
    expect(page.get_by_role("heading", name="Number 7")).to_be_visible()
    page.goto(f"/edit/{SPACE}/{name}")
    expect(editing(page).locator(".preview-problem")).to_contain_text("id")


def test_text_and_preview_scroll_together(writers: Writers, new_page: Callable[[str], str]) -> None:
    """Where the text is scrolled to a heading, the preview shows that heading, however long what stands between is."""
    long = "word " * 1500
    name = new_page(f"# Top\n\n{long}\n\n## Middle\n\n" + "line\n" * 200 + f"\n## End\n\n{long}\n")
    page = editing(writers.admin(f"/edit/{SPACE}/{name}"))
    expect(page.locator("#preview h2").last).to_have_text("End")
    heading = page.locator(".cm-line", has_text="## Middle")
    page.locator(".cm-scroller").evaluate("pane => pane.scrollTo(0, 0)")
    while not heading.count():  # lines out of sight are not there
        page.locator(".cm-scroller").evaluate("pane => pane.scrollBy(0, 300)")
    heading.evaluate("line => line.scrollIntoView({block: 'start'})")
    expect(page.locator("#preview h2", has_text="Middle")).to_be_in_viewport()
