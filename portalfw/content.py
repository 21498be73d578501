"""Content directories: where spaces, macros, actors and JumpScripts come from."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from portalfw.errors import StartError
from portalfw.settings import REPOSITORY


class Content:
    """An ordered list of content directories; a later one wins by name."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Check the folders.

        :raises StartError: naming a folder that does not exist.
        """
        self.folders = [folder.expanduser().absolute() for folder in folders]
        for folder in self.folders:
            if not folder.is_dir():
                raise StartError(f"The content directory {folder} does not exist; correct the setting content.")

    def rooms(self, name: str) -> list[Path]:
        """Return the existing folders called ``name``, for instance ``spaces``, in order."""
        return [folder / name for folder in self.folders if (folder / name).is_dir()]

    def modules(self, room: str) -> Iterator[ModuleType]:
        """Import and yield every Python module of a room, in order of directories and names.

        :raises StartError: naming the file that cannot be imported, and why.
        """
        for folder, path in self.files(room):
            yield _load(folder, path)

    def files(self, room: str) -> Iterator[tuple[Path, Path]]:
        """Yield the content directory and the path of every Python file of a room, in the same order."""
        for folder in self.folders:
            for path in sorted((folder / room).rglob("*.py")):
                yield folder, path

    def loaded(self, folder: Path, path: Path) -> ModuleType | None:
        """Return a file's module as it was last loaded."""
        return sys.modules.get(_module_name(folder, path))

    def reload(self, folder: Path, path: Path) -> ModuleType:
        """Load a file anew and return its module.

        :raises StartError: naming the file and why it cannot be; the module as it was stays in use.
        """
        known = self.loaded(folder, path)
        try:
            return _load_anew(_module_name(folder, path), path)
        except Exception as error:  # an author's module may fail in any way
            if known is not None:
                sys.modules[known.__name__] = known
            raise StartError(f"{path} cannot be loaded: {type(error).__name__}: {error}.") from error


def _load(folder: Path, path: Path) -> ModuleType:
    name = _module_name(folder, path)
    try:
        if folder == REPOSITORY:
            return importlib.import_module(name)
        return _load_anew(name, path)
    except StartError:
        raise
    except Exception as error:  # an author's module may fail in any way, and the operator must learn where
        raise StartError(f"{path} cannot be loaded: {type(error).__name__}: {error}.") from error


def _module_name(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    return name if folder == REPOSITORY else f"content_{folder.name}.{name}"


def _load_anew(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StartError(f"{path} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
