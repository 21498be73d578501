"""What the portal is called in browsers: the origin that its own pages have."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from werkzeug.wrappers import Request

PUBLIC_URL = "portalfw.public_url"
"""Where the WSGI environment holds the setting ``public_url``, if there is one."""


def _checked(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("must be an address such as https://cloud.example.org")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("must end after host and port: the portal is always at the root of its address")
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")


PublicUrl = Annotated[str, AfterValidator(_checked)]
"""An address in the form in which browsers name origins: lower case, without the usual port or a slash at the end."""


def public_url(request: Request) -> str:
    """Return where people reach the portal, without a slash at the end; without the setting, as this request did."""
    return str(request.environ.get(PUBLIC_URL) or request.host_url.rstrip("/"))


def is_own_origin(request: Request, origin: str | None) -> bool:
    """Tell whether a page of ``origin`` is one of ours."""
    return origin is not None and origin in {request.host_url.rstrip("/"), request.environ.get(PUBLIC_URL)}
