"""What somebody made on a real node behind the portal's back is found and named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from product import Product
from sweep import VIRSH

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(400)]
DOMAIN = "<domain type='qemu'><name>{}</name><memory>65536</memory><os><type arch='x86_64'>hvm</type></os></domain>"


def test_a_stray_domain_and_namespace(real_product: Product, tmp_path: Path) -> None:
    """A domain and a gateway's namespace that nobody knows are WARNINGS with their names until they are gone."""
    site = real_product.ask("system/gridmanager/getNode", nodeId=1)["site"]
    domain, namespace = f"{site}-stray", f"{site}-g990099"
    (tmp_path / "domain.xml").write_text(DOMAIN.format(domain))

    def stray() -> dict[str, str]:
        found = real_product.ask("system/health/refreshCommand", cmd="healthcheck/orphans", nodeId=1)
        return {row["uid"]: row["message"] for row in found if row["state"] == "WARNING"}

    subprocess.run([*VIRSH, "define", str(tmp_path / "domain.xml")], check=True, capture_output=True)
    try:
        subprocess.run(["ip", "netns", "add", namespace], check=True, capture_output=True)
        found = stray()
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)
        subprocess.run([*VIRSH, "undefine", domain], check=True, capture_output=True)
    assert "nobody knows it" in found[f"machine-{domain}"]
    assert "there is no cloudspace of that number" in found[f"gateway-{namespace}"]
    assert not {f"machine-{domain}", f"gateway-{namespace}"} & stray().keys()
