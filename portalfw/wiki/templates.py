"""The templates of macros (``macros/templates`` of each content directory) and of the wiki itself. All autoescape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from markupsafe import Markup

from portalfw.wiki.once import Once

METHODS = frozenset(dir(dict))


class _Environment(Environment):
    """Jinja2 in which a mapping's keys come before its methods: ``v.copy`` and ``v["items"]`` are data."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the key if there is one, else the attribute. Most keys of what templates draw are optional."""
        if isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
            if attribute not in METHODS:
                return self.undefined(obj=obj, name=attribute)
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the key; a mapping's methods are no items."""
        if isinstance(obj, dict):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)


class Templates:
    """Finds and fills templates."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Look into ``folders``, the last one first, then among the wiki's own."""
        loaders = [FileSystemLoader(folder) for folder in reversed(folders)]
        loader = ChoiceLoader([*loaders, PackageLoader("portalfw.wiki")])
        self._environment = _Environment(loader=loader, autoescape=True)
        self._environment.globals["once"] = Once(self._environment)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """Fill the template ``name``."""
        return self._environment.get_template(name).render(values)

    def value(self, shape: Any) -> Markup:
        """Draw a value as ``value.html`` does."""
        return self._part("value.html", "value", shape)

    def pill(self, state: Any) -> Markup:
        """Draw a state as the pill of a page's head."""
        return self._part("state.html", "state", state, pill=True)

    def _part(self, template: str, macro: str, *arguments: Any, **named: Any) -> Markup:
        part = getattr(self._environment.get_template(template).module, macro)
        return Markup(part(*arguments, **named))  # noqa: S704 - made by an autoescaping template
