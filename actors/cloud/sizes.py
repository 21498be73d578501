"""Sizes: which memory and processors a machine may ask for."""

from __future__ import annotations

from actors.cloud.models import Size
from portalfw.errors import InvalidError, NotFoundError

LEAST_MEMORY = 64  # MiB
MOST_VCPUS = 128


def chosen_size(size_id: int | None, memory: int | None, vcpus: int | None, allowed: list[int]) -> tuple[int, int, int]:
    """Return (size id or 0, MiB, vcpus) for either a size or a free choice of both.

    :raises InvalidError: if neither or both are given, the size is unknown or not allowed, or the figures cannot be.
    """
    if (size_id is None) == (memory is None or vcpus is None):
        raise InvalidError("Give either sizeId, or both memory and vcpus.", detail={"argument": "sizeId"})
    if size_id is not None:
        if allowed and size_id not in allowed:
            raise InvalidError(f"Size {size_id} is not allowed in this cloudspace.", detail={"argument": "sizeId"})
        try:
            size = Size.get(size_id)
        except NotFoundError as error:
            raise InvalidError(error.message, detail={"argument": "sizeId"}) from error
        return size.id, size.memory, size.vcpus
    return _free_choice(memory or 0, vcpus or 0)


def _free_choice(memory: int, vcpus: int) -> tuple[int, int, int]:
    if memory < LEAST_MEMORY or memory % 2:
        raise InvalidError(
            f"memory {memory} must be an even number of MiB, at least {LEAST_MEMORY}.", detail={"argument": "memory"}
        )
    if not 1 <= vcpus <= MOST_VCPUS:
        raise InvalidError(f"vcpus {vcpus} must be 1 to {MOST_VCPUS}.", detail={"argument": "vcpus"})
    same = Size.rows({"memory": memory, "vcpus": vcpus}, fields=["_id"], limit=1)
    return (same[0]["id"] if same else 0), memory, vcpus
