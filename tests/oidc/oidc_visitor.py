"""Somebody with a browser, as far as HTTP goes: follows redirects and fills in the provider's forms."""

from __future__ import annotations

import html
import itertools
import re
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

FORM = re.compile(r'<form[^>]*action="([^"]+)"')
HOPS = 12
SECONDS = 20
_addresses = (f"127.7.{number // 250}.{number % 250 + 1}" for number in itertools.count())


class _From(HTTPAdapter):
    """Connects from an address of its own, as people do: limits count by address."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(next(_addresses), 0), **more)


class Visitor:
    """One browser: its cookies, and where it is led."""

    def __init__(self, portal: str) -> None:
        """Begin with no cookies."""
        self.portal = portal
        self._session = requests.Session()
        self._session.mount("http://", _From())

    def close(self) -> None:
        """Close the browser."""
        self._session.close()

    def leave(self, name: str, target: str = "/cbgrid") -> str:
        """Press the button of a provider, and return the provider's address that the browser is led to."""
        answer = self.get(f"{self.portal}/login/oidc/{name}?{urlencode({'next': target})}")
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def authenticate(self, address: str, login: str) -> str:
        """Sign in at the provider, agree to everything, and return the address of ours that it leads back to."""
        answer = self.get(address)
        for _ in range(HOPS):
            if answer.is_redirect:
                address = urljoin(answer.url, answer.headers["Location"])
                if address.startswith(f"{self.portal}/login/oidc/"):
                    return address
                answer = self.get(address)
                continue
            found = FORM.search(answer.text)
            assert found, f"{answer.url}: {answer.status_code} {answer.text[:500]}"
            prompt = "login" if 'name="login"' in answer.text else "consent"
            given = {"prompt": prompt, "login": login, "password": "any"}
            action = urljoin(answer.url, html.unescape(found[1]))
            answer = self._session.post(action, data=given, allow_redirects=False, timeout=SECONDS)
        raise AssertionError(f"the provider leads round in circles: {answer.url}")

    def sign_in(self, name: str, login: str, target: str = "/cbgrid") -> requests.Response:
        """Go all the way, and return the portal's answer to who comes back."""
        return self.get(self.authenticate(self.leave(name, target), login))

    def get(self, address: str) -> requests.Response:
        """Ask for one page, following nothing."""
        return self._session.get(address, allow_redirects=False, timeout=SECONDS)

    def post(self, path: str, **form: str) -> requests.Response:
        """Send a form of the portal's own."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        return self._session.post(self.portal + path, form, headers=headers, allow_redirects=False, timeout=SECONDS)

    def cookies(self, path: str = "/") -> dict[str, str]:
        """Return the cookies that go to a page of the portal."""
        request = requests.Request("GET", self.portal + path, cookies=self._session.cookies)
        header = self._session.prepare_request(request).headers.get("Cookie", "")
        return dict(part.split("=", 1) for part in header.split("; ") if part)

    @property
    def who(self) -> str:
        """Who the portal takes this browser for."""
        return str(self.get(f"{self.portal}/restmachine/system/usermanager/whoami").json()["name"])


def reason(answer: requests.Response) -> str:
    """Return what the sign-in page says of a failure."""
    found = re.search(r'role="alert">.*?<span>(.*?)</span>', answer.text)
    assert found, f"{urlsplit(answer.url).path}: {answer.status_code}, no reason shown"
    return html.unescape(found[1])
