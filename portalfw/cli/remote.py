"""A running portal as the command line sees it: its OpenAPI document, kept on disk, and calls of its methods."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from portalfw.errors import PortalError

JSON = "application/json"
PREFIX = "/restmachine/"
FRESH = 300.0  # seconds in which a kept document is taken as it is
PATIENCE = 300.0  # seconds that a call may take, as other clients wait
ASKING = 10.0  # seconds that the document may take


class RemoteError(PortalError):
    """The portal could not be asked, or answered with an error."""

    code = "remote"


class NoSuchMethodError(RemoteError):
    """The portal shows no such app, actor or method: a matter of usage, as a wrong option is."""


@dataclass(frozen=True)
class Operation:
    """One method as its document describes it."""

    app: str
    actor: str
    name: str
    summary: str
    description: str
    destructive: bool
    properties: dict[str, dict[str, Any]]  # JSON Schema of each argument, by wire name
    required: frozenset[str]
    answer: dict[str, Any]  # JSON Schema

    @property
    def address(self) -> str:
        """``app/actor/method``."""
        return f"{self.app}/{self.actor}/{self.name}"


class Remote:
    """A portal at ``url``, asked as the owner of ``token``."""

    def __init__(self, url: str, token: str | None) -> None:
        """Name the portal; nothing is asked yet."""
        self.url = url.rstrip("/")
        self.token = token
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        key = hashlib.sha256(f"{self.url} {token or ''}".encode()).hexdigest()[:24]
        self._kept = cache_folder() / f"openapi-{key}.json"

    def document(self, *, within: float = FRESH, timeout: float = ASKING) -> dict[str, Any]:
        """Return the portal's OpenAPI document; one younger than ``within`` seconds is taken from disk.

        :raises RemoteError: if the portal does not answer with one within ``timeout`` seconds.
        """
        kept = self._read()
        if kept and time.time() - self._kept.stat().st_mtime < within:
            return dict(kept["document"])
        headers = {**self._headers, **({"If-None-Match": kept["etag"]} if kept else {})}
        response = self._ask("GET", "/openapi.json", headers=headers, timeout=timeout)
        if response.status_code == requests.codes.not_modified and kept:
            self._kept.touch()
            return dict(kept["document"])
        document: dict[str, Any] = _answer(response)
        self._write({"etag": response.headers.get("ETag", ""), "document": document})
        return document

    def operations(self, *, within: float = FRESH, timeout: float = ASKING) -> list[Operation]:
        """Return all methods that the portal shows to this caller, by address."""
        document = self.document(within=within, timeout=timeout)
        paths = sorted(document["paths"].items())
        return [_operation(path, verbs) for path, verbs in paths if path.startswith(PREFIX)]

    def call(self, address: str, arguments: dict[str, Any]) -> Any:
        """Call a method by wire names and return its answer.

        :raises RemoteError: with the portal's own words.
        """
        headers = {**self._headers, "Accept": JSON}
        return _answer(self._ask("POST", PREFIX + address, headers=headers, timeout=PATIENCE, json=arguments))

    def begin(self, address: str, arguments: dict[str, Any]) -> tuple[Any, str | None]:
        """Call a method; return its answer and None, or if it goes on for longer None and the id of its task.

        :raises RemoteError: with the portal's own words.
        """
        headers = {**self._headers, "Accept": JSON, "Prefer": "respond-async"}
        response = self._ask("POST", PREFIX + address, headers=headers, timeout=PATIENCE, json=arguments)
        answer = _answer(response)
        return (None, str(answer)) if response.status_code == requests.codes.accepted else (answer, None)

    def _ask(self, verb: str, path: str, **request: Any) -> requests.Response:
        try:
            return requests.request(verb, self.url + path, allow_redirects=False, **request)  # noqa: S113 - both callers name one
        except requests.Timeout as error:
            raise RemoteError(f"The portal at {self.url} did not answer in time.") from error
        except (requests.RequestException, ValueError) as error:
            raise RemoteError(f"The portal at {self.url} does not answer; is --url (PORTALFW_URL) right?") from error

    def _read(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._kept.read_text())
        except (OSError, json.JSONDecodeError):
            return None
        return found

    def _write(self, value: dict[str, Any]) -> None:
        """Keep the document; where the disk does not let us, it is asked for again the next time."""
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = self._kept.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(value))
            beside.replace(self._kept)
        except OSError:
            return


def cache_folder() -> Path:
    """Return the folder of what can be asked for again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portalfw"


def _answer(response: requests.Response) -> Any:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    if response.ok and body is not None:
        return body
    if isinstance(body, dict) and "message" in body:
        raise RemoteError(f"{body['message']} ({body.get('error')}, {response.status_code}, id {body.get('id')})")
    if response.ok and response.text.strip() == "null":
        return None
    raise RemoteError(f"{response.url} answered {response.status_code} {response.reason}; is it a portal?")


def _operation(path: str, verbs: dict[str, Any]) -> Operation:
    app, actor, name = path.removeprefix(PREFIX).split("/")
    found = verbs.get("post") or verbs["get"]
    body = found.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    return Operation(
        app=app,
        actor=actor,
        name=name,
        summary=found["summary"],
        description=found["description"],
        destructive=found["x-destructive"],
        properties=body.get("properties", {}),
        required=frozenset(body.get("required", ())),
        answer=found["responses"]["200"]["content"][JSON]["schema"],
    )
