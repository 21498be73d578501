"""The files of the browser bundle: their addresses, and the route that serves them.

The build writes each file under a name with a content hash, so browsers may keep it for ever, and a compressed twin
beside it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import flask

BUNDLE = Path(__file__).parent / "static" / "bundle"
URL = "/static/bundle/"
DIAGRAM = "/static/diagram"
#: Diagrams are drawn in frames of no origin: what draws them (Mermaid) writes styles into what it makes.
DIAGRAM_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; font-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
FOR_EVER = "public, max-age=31536000, immutable"
MIMETYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
}
DIAGRAM_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Diagram</title>
<style>
@font-face {{ font-family: "Inter"; font-weight: 100 900; src: url("{font}") format("woff2"); }}
html {{ background: transparent; }} body {{ margin: 0; overflow: hidden; }}
main {{ display: flow-root; overflow-x: auto; }}
svg {{ display: block; margin: 0 auto; }} svg .node * {{ filter: none !important; }}
</style>
<script type="module" src="{script}"></script></head><body><main></main></body></html>
"""


class BundleMissingError(LookupError):
    """The browser bundle was not built, or does not have the file asked for."""


def asset(name: str) -> str:
    """Return the address of a file of the bundle, e.g. ``asset("portal.css")``.

    Raises ``BundleMissingError`` where the bundle has not been built or has no such file.
    """
    manifest = BUNDLE / "manifest.json"
    try:
        names = _names(manifest, manifest.stat().st_mtime_ns)
    except FileNotFoundError:
        place = Path(__file__).parent / "bundle"
        raise BundleMissingError(
            f"The browser bundle is not built: run `npm ci` and `npm run build` in {place}."
        ) from None
    if name not in names:
        raise BundleMissingError(f"The browser bundle has no {name!r}, only {', '.join(sorted(names))}.")
    return URL + names[name]


@lru_cache(maxsize=2)
def _names(manifest: Path, _written: int) -> dict[str, str]:
    """Read the manifest once for each time that it was written."""
    names: dict[str, str] = json.loads(manifest.read_text())
    return names


def blueprint() -> flask.Blueprint:
    """Return the route of the bundle's files, compressed for browsers that take gzip."""
    routes = flask.Blueprint("assets", __name__)

    @routes.get(URL + "<name>")
    def bundle(name: str) -> flask.Response:
        packed = flask.request.accept_encodings.quality("gzip") > 0 and (BUNDLE / f"{Path(name).name}.gz").is_file()
        response = flask.send_from_directory(BUNDLE, f"{name}.gz" if packed else name, mimetype=_mimetype(name))
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = FOR_EVER
        response.headers["Access-Control-Allow-Origin"] = "*"  # the same for everybody; frames of no origin load it too
        return response

    @routes.get(DIAGRAM)
    def diagram() -> flask.Response:
        page = DIAGRAM_PAGE.format(script=asset("diagram.js"), font=asset("inter.woff2"))
        response = flask.Response(page, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = DIAGRAM_POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response

    return routes


def _mimetype(name: str) -> str:
    return MIMETYPES.get(Path(name).suffix, "text/plain")
