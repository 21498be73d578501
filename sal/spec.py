"""Reading the plain JSON of a job into typed values."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from sal.errors import SpecError

T = TypeVar("T")


def read(kind: type[T], value: Any, what: str) -> T:
    """Return ``value`` (a dictionary from JSON) as a dataclass ``kind``; raise `SpecError` naming the wrong field."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SpecError(f"{what}: {place or 'value'}: {first['msg']}") from error
