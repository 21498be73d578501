"""Bring an image to the node, once."""

from __future__ import annotations

from typing import Any

descr = "Bring an image to the node, once."
organization = "portalfw"
author = "portalfw"
name = "fetchimage"
category = "libvirt"
roles = ()
queue = "hypervisor"
order = 0
timeout = 1800
enable = True
startatboot = False
log = True
idempotent = True


def action(image: dict[str, Any]) -> dict[str, Any]:
    """Return the image's ``sha256``, its ``size`` and the ``virtual_size`` of its disk in bytes.

    Params: ``image`` is ``{"volume": name on the node, "url": where from, "sha256": expected digest or null}``.
    Raises `sal.errors.ImageError` if it is corrupt, leans on other files, or has another digest.
    """
    from dataclasses import asdict

    from agent.jumpscript import context, log
    from sal.exclusive import exclusive
    from sal.hypervisor import Site

    volume, expected = image["volume"], image.get("sha256") or None
    storage = Site(context.hypervisor, context.site, context.work).storage
    present = storage.image_facts(volume)
    if present is not None and expected in {None, present.sha256}:
        log.info(f"image {volume} is here already")
        return asdict(present)
    file = context.fetch_file(image["url"], expected)
    with exclusive(context.run / "node.lock"):
        facts = storage.import_image(volume, file, expected)
    log.info(f"image {volume}: {facts.size} bytes from {image['url']}, sha256 {facts.sha256}")
    return asdict(facts)
