"""What an author changes is there a moment later, without a restart (portalfw up --dev)."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import requests
from product import REPOSITORY, Product, running, wait_for

MACRO = """
    from portalfw.wiki import Block, MacroContext, macro

    @macro
    def greeting(ctx: MacroContext) -> Block:
        \"\"\"Say hello.\"\"\"
        return ctx.render("note.html", text="{text}", kind="note", title=None)
    """
ACTOR = """
    from portalfw.rest import Actor, method

    class Bed(Actor, app="garden"):
        \"\"\"Beds.\"\"\"

        @method(right="login", http=("GET", "POST"), readonly=True)
        def {name}(self) -> str:
            \"\"\"Tell.\"\"\"
            return "{answer}"
    """


def write(path: Path, source: str, **values: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(source).format(**values) if values else dedent(source))


@pytest.mark.timeout(120)
def test_changes_are_taken_and_mistakes_change_nothing(tmp_path: Path) -> None:
    """Pages, macros and actors are taken as they are now; a broken file leaves what was, and the product running."""
    garden = tmp_path / "garden"
    write(garden / "spaces/garden/space.yaml", "title: Garden\n")
    write(garden / "spaces/garden/Home.md", "Here: {{greeting}}\n")
    write(garden / "macros/greeting.py", MACRO, text="first words")
    write(garden / "actors/garden/bed.py", ACTOR, name="soil", answer="dry")
    with running("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(garden), "--dev") as product:

        def page() -> str:
            headers = {"Authorization": f"Bearer {product.token}"}
            return requests.get(f"{product.url}/garden/Home", headers=headers, timeout=10).text

        assert "first words" in page()
        assert product.ask("garden/bed/soil") == "dry"
        write(garden / "macros/greeting.py", MACRO, text="second words")
        wait_for(lambda: "second words" in page(), 20, "the changed macro")
        write(garden / "macros/greeting.py", "this is no Python\n")
        write(garden / "actors/garden/bed.py", ACTOR, name="water", answer="fresh")
        wait_for(lambda: product.call("garden/bed/water").status_code == 200, 20, "the changed actor")
        assert product.call("garden/bed/soil").status_code == 404
        assert "second words" in page()
        assert "/restmachine/garden/bed/water" in documented(product)
        write(garden / "macros/greeting.py", MACRO, text="third words")
        wait_for(lambda: "third words" in page(), 20, "the mended macro")
        write(garden / "spaces/garden/Home.md", "There: {{greeting}}\n")
        wait_for(lambda: "There:" in page(), 20, "the changed page")


def documented(product: Product) -> list[str]:
    """Return the paths of the OpenAPI document."""
    headers = {"Authorization": f"Bearer {product.token}"}
    return list(requests.get(f"{product.url}/openapi.json", headers=headers, timeout=10).json()["paths"])
