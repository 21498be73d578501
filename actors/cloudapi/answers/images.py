"""What machines are made from and where, as answers: images, sizes and locations."""

from __future__ import annotations

from typing import TypedDict

from actors.cloudapi.answers.life import Life, Row, life


class ImageRow(Life):
    """An image."""

    id: int
    name: str
    description: str
    type: str  # Linux, Windows …
    size: int  # GiB that a boot disk needs at least
    username: str  # first login of its guests
    accountId: int  # 0 is everybody's


class SizeRow(TypedDict):
    """A named choice of memory and processors."""

    id: int
    name: str
    description: str
    memory: int  # MiB
    vcpus: int
    disks: list[int]  # GiB offered


class LocationRow(TypedDict):
    """A grid of nodes at one place."""

    id: int
    guid: int
    gid: int
    name: str
    locationCode: str
    flag: str


def image(row: Row) -> ImageRow:
    """Return an image."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "type": row["type"],
        "size": row["size"],
        "username": row["username"],
        "accountId": row["account_id"],
        **life(row),
    }


def size(row: Row) -> SizeRow:
    """Return a size."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "memory": row["memory"],
        "vcpus": row["vcpus"],
        "disks": row["disks"],
    }


def location(row: Row) -> LocationRow:
    """Return a location."""
    return {
        "id": row["id"],
        "guid": row["id"],
        "gid": row["gid"],
        "name": row["name"],
        "locationCode": row["location_code"],
        "flag": row["flag"],
    }
