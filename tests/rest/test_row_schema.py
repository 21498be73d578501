"""What a declared row tells: which fields may be missing, also where annotations are texts, and what they mean."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from portalfw.cli.client_file import _row
from portalfw.rest.examples import sample
from portalfw.rest.schema import Schema, schema_of


class Base(TypedDict):
    """What cups have in common."""

    grams: int  # without the tea
    owner: NotRequired[str]  # of those that are somebody's


class Cup(Base):
    """One cup."""

    inside: NotRequired[list[Cup]]
    label: str | None


def test_rows_tell_what_may_be_missing_and_what_fields_mean() -> None:
    """Fields that may be missing are not required, comments describe fields of bases too, and no other field fits."""
    components: dict[str, Schema] = {}
    assert schema_of(Cup, components) == {"$ref": "#/components/schemas/Cup"}
    cup = components["Cup"]
    assert cup["required"] == ["grams", "label"]
    assert cup["additionalProperties"] is False
    assert {name: part.get("description") for name, part in cup["properties"].items()} == {
        "grams": "without the tea",
        "owner": "of those that are somebody's",
        "inside": None,
        "label": None,
    }


def test_a_client_knows_what_may_be_missing() -> None:
    """The generated client's row says the same."""
    components: dict[str, Schema] = {}
    schema_of(Cup, components)
    assert "'owner': 'NotRequired[str]'," in _row("Cup", components["Cup"])
    assert "'grams': 'int'," in _row("Cup", components["Cup"])


def test_examples_end() -> None:
    """A row that holds rows of its own kind has an example that ends."""
    components: dict[str, Schema] = {}
    found: Any = sample(schema_of(Cup, components), "cup", components)
    depth = 0
    while found.get("inside"):
        found, depth = found["inside"][0], depth + 1
    assert 0 < depth < 10
