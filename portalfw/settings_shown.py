"""The settings in force as people may see them: where each comes from, and no secret."""

from __future__ import annotations

import json
import re
from typing import Any, TypedDict

from pydantic import BaseModel, SecretStr

from portalfw.settings import Settings

MASK = "***"
SECRET_NAME = re.compile(r"secret|password|token", re.IGNORECASE)
NO_SECRET = re.compile(r"(_file|_claim)$")  # a setting of such a name says where a secret is, not what
IN_ADDRESS = (
    (re.compile(r"(//[^/@:\s]*):[^@\s]*@"), rf"\1:{MASK}@"),  # //user:password@host
    (re.compile(r"([?&][^=&]*(?:password|token|secret|properties)[^=&]*=)[^&]*", re.IGNORECASE), rf"\1{MASK}"),
)


class SettingRow(TypedDict):
    """One setting; ``origin`` is ``default``, ``environment``, ``command line`` or names the file."""

    id: str
    name: str
    value: str
    origin: str
    meaning: str


def shown_settings(settings: Settings) -> list[SettingRow]:
    """Return every setting in the order in which they are declared."""
    return [
        {
            "id": name,
            "name": name,
            "value": _text(_open(name, getattr(settings, name))),
            "origin": settings.origin(name),
            "meaning": field.description or "",
        }
        for name, field in type(settings).model_fields.items()
    ]


def _open(name: str, value: Any) -> Any:
    """Return a value without what is secret in it, in types that JSON has."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, SecretStr) or (SECRET_NAME.search(name) and not NO_SECRET.search(name)):
        return MASK
    if isinstance(value, BaseModel):
        value = {key: getattr(value, key) for key in type(value).model_fields}
    if isinstance(value, dict):
        return {str(key): _open(str(key), one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_open(name, one) for one in value]
    text = str(value)
    for pattern, masked in IN_ADDRESS:
        text = pattern.sub(masked, text)
    return text


def _text(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, bool)) else str(value)
