"""A first look at where an image is to come from, before a node is sent for it."""

from __future__ import annotations

import requests

from portalfw.errors import InvalidError
from portalfw.offload import offload

TIMEOUT = 10.0  # seconds
OWN = "portal:"  # a file of the portal's own images folder


def check_url(url: str) -> None:
    """Ask whether the image can be fetched.

    :raises InvalidError: if the address is no http(s) one, or its server does not answer or says no.
    """
    if url.startswith(OWN):
        return
    problem = "must begin with http:// or https://"
    if url.startswith(("http://", "https://")):
        problem = offload(_problem, url)
    if problem:
        raise InvalidError(f"url {url}: {problem}.", detail={"argument": "url"})


def _problem(url: str) -> str:
    try:
        answer = requests.head(url, timeout=TIMEOUT, allow_redirects=True)
    except requests.RequestException as error:
        return f"cannot be reached ({type(error).__name__})"
    if not answer.ok:
        return f"its server answers {answer.status_code}"
    return "" if answer.headers.get("Content-Length") else "its server does not tell the length"
