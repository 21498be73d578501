"""An actor that measures what pages cost the server."""

from __future__ import annotations

import secrets
import time

from portalfw.errors import InvalidError
from portalfw.rest import Actor, method
from portalfw.wiki import PageView

PREVIEW = "system/pages/preview"


class Pages(Actor, app="bench"):
    """Pages, from their address to finished HTML, without HTTP and frame."""

    @method(right="group:admin")
    def views(self, page: str, count: int) -> list[float]:
        """Return the milliseconds of ``count`` views of a page of the space Bench."""
        found = []
        for _ in range(count):
            began = time.perf_counter()
            view = self.runtime.wiki.view(self.call.principal, f"bench/{page}", {})
            found.append((time.perf_counter() - began) * 1000)
            if not isinstance(view, PageView) or view.fault:
                raise InvalidError(f"bench/{page} cannot be shown.")
        return found

    @method(right="group:admin")
    def first_views(self, page: str, count: int) -> list[float]:
        """Return the milliseconds of reading, compiling and rendering texts of the page's size never seen before."""
        text = self.runtime.wiki.page(self.call.principal, "bench", page).source.text
        found = []
        for _ in range(count):
            # Each paragraph differs, so that nothing kept from another text helps.
            changed = text.replace("The controller", f"The controller {secrets.token_hex(4)}")
            began = time.perf_counter()
            self.runtime.dispatcher.call(
                self.call.principal, PREVIEW, {"space": "bench", "page": page, "text": changed}
            )
            found.append((time.perf_counter() - began) * 1000)
        return found
