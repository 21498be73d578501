"""Macros of Python packages: the modules that they name as entry points of the group ``portalfw.macros``."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Final

from portalfw.errors import StartError

GROUP: Final = "portalfw.macros"


def packaged_macros() -> list[ModuleType]:
    """Return the modules of macros that installed packages bring, by the names of their entry points.

    :raises StartError: naming the package whose module cannot be loaded, and why.
    """
    modules = []
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        origin = f"Package {point.dist.name if point.dist else '?'}, entry point {point.name} = {point.value}"
        try:
            found = point.load()
        except Exception as error:  # somebody else's module may fail in any way, and the operator must learn where
            raise StartError(f"{origin} cannot be loaded: {type(error).__name__}: {error}.") from error
        if not isinstance(found, ModuleType):
            raise StartError(f"{origin} is {type(found).__name__}; it must be a module that declares macros.")
        modules.append(found)
    return modules


def template_folders(modules: list[ModuleType]) -> list[Path]:
    """Return the folders ``templates`` beside the modules."""
    folders = [Path(module.__file__).parent / "templates" for module in modules if module.__file__]
    return [folder for folder in folders if folder.is_dir()]
