"""An operator decides who reads the space Docs."""

from __future__ import annotations

from pathlib import Path

from portalfw.testing import running_portal


def test_an_operator_opens_the_manual_to_guests(tmp_path: Path) -> None:
    """A space.yaml of one's own content directory takes the place of the shipped one; the documents stay."""
    folder = tmp_path / "spaces" / "docs"
    folder.mkdir(parents=True)
    (folder / "space.yaml").write_text("title: Docs\ntoc: true\nrights: {guest: R}\n")
    with running_portal(tmp_path) as portal:
        assert "<title>Writing pages · Docs</title>" in portal.page("/docs/pages", user=None)
        assert portal.get("/docs/.files/docs/images/machine.png", user=None).headers["Content-Type"] == "image/png"
