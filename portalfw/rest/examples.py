"""Examples of answers in the OpenAPI document: plausible values by the name and type of each field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
DEEPEST: Final = 6  # rows within rows
_REF: Final = "#/components/schemas/"
_TEXTS: Final = (
    (r"mac_?address$", "52:54:00:1a:2b:3c"),
    (r"guid$|uuid$|reference_?id$|request_?id$", "0b8e5a4c-3f0e-4b1f-9c1d-2f1e6f7a8b90"),
    (r"mask$", "255.255.255.0"),
    (r"network$|subnet$|cidr$", "192.168.103.0/24"),
    (r"mail", "ann@portal.example"),
    (r"url$|link$|href$|origin$", "https://portal.example/"),
    (r"ip$|address$|gateway$", "192.168.103.254"),
    (r"port$", "2222"),
    (r"protocol$|^proto$", "tcp"),
    (r"status$|state$", "RUNNING"),
    (r"right$|letters$", "ARCXDU"),
    (r"password|secret|token$|psk$|key$", "m4ple-w0rd-9"),
    (r"user|login|owner|group", "ann"),
    (r"descr|^doc$|summary$|help$|text$|message$|reason$|step$", "What people read."),
    (r"version$", "1.0.0"),
    (r"location", "local"),
    (r"name$|title$|label$", "web-1"),
)
_NUMBERS: Final = (
    (r"time$|date$|created$|started$|ended$|expires$|seen$|_at$|first$|last$", 1_763_800_000),
    (r"memory|_m$", 2048),
    (r"(^|_)id$|[a-z]id$|Id$", 7),
    (r"port$", 2222),
    (r"progress$|percent$", 40),
    (r"size|storage", 10),
)
_FORMATS: Final = {"date-time": "2026-11-22T14:00:00Z", "date": "2026-11-22"}


def sample(schema: Schema, name: str, components: Mapping[str, Schema], depth: int = 0) -> Any:
    """Return a value that fits ``schema``, as a field or method called ``name`` may have it."""
    if "$ref" in schema:
        return sample(components[str(schema["$ref"]).removeprefix(_REF)], name, components, depth + 1)
    if "anyOf" in schema:
        kinds = [part for part in schema["anyOf"] if part.get("type") != "null"]
        return sample(kinds[0], name, components, depth) if kinds and depth < DEEPEST else None
    if schema.get("type") == "array":
        items = schema.get("items") or {}
        return [sample(items, name.removesuffix("s"), components, depth)] if items and depth < DEEPEST else []
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {field: sample(part, field, components, depth) for field, part in fields.items()}
    return _scalar(str(schema.get("type")), name, schema)


def _scalar(kind: str, name: str, schema: Schema) -> Any:
    if "enum" in schema or "const" in schema:
        return schema["enum"][0] if "enum" in schema else schema["const"]
    if kind == "boolean":
        return True
    if kind in {"integer", "number"}:
        number = _by_name(_NUMBERS, name, 1)
        return min(max(number, schema.get("minimum", number)), schema.get("maximum", number))
    if kind == "string":
        return _FORMATS.get(str(schema.get("format"))) or _by_name(_TEXTS, name, _words(name))
    return None if kind == "null" else {}  # anything at all


def _by_name(table: tuple[tuple[str, Any], ...], name: str, otherwise: Any) -> Any:
    return next((value for pattern, value in table if re.search(pattern, name, re.IGNORECASE)), otherwise)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
