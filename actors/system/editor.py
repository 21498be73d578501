"""What the editor of pages knows beside the text: macros with their arguments, pages to link to, templates."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from pydantic import Field

from portalfw.errors import NotFoundError
from portalfw.history.access import check
from portalfw.history.names import name_of
from portalfw.history.pages import Pages
from portalfw.history.views import View, text_of
from portalfw.rest import Actor, Arg, method
from portalfw.runtime import Runtime
from portalfw.wiki.macro import Macro, Parameter
from portalfw.wiki.space import is_template

Space = Annotated[str, Arg("Space", help="Name of the space, as in its address."), Field(max_length=100)]
OPTIONS = "one of "


class MacroArgument(TypedDict):
    """One argument of a macro; ``options`` are the values that it takes, empty if it takes others."""

    name: str
    type: str
    required: bool
    default: Any
    options: list[str]


class MacroRow(TypedDict):
    """A macro as authors see it; ``doc`` is its whole description."""

    name: str
    summary: str
    doc: str
    arguments: list[MacroArgument]


class LinkRow(TypedDict):
    """A page to link to."""

    page: str
    title: str


def editor_pages(runtime: Runtime) -> Pages:
    """Return the process's service of pages."""
    return Pages(runtime.history)


class Editor(Actor, app="system"):
    """What the editor of pages offers while somebody writes."""

    @method(right="login", http=("GET", "POST"), readonly=True)
    def macros(self) -> list[MacroRow]:
        """Return the macros by name, with their arguments."""
        return [_row(one) for one in self.runtime.wiki.macros]

    @method(right="login", http=("GET", "POST"), readonly=True)
    def links(self, space: Space) -> list[LinkRow]:
        """Return the pages of a space that the caller may read, as links name them."""
        return [
            {"page": one.name, "title": one.label} for one in self.runtime.wiki.readable(self.call.principal, space)
        ]

    @method(right="login", http=("GET", "POST"), readonly=True)
    def template(
        self, space: Space, name: Annotated[str, Arg("Name", help="Name of the template."), Field(max_length=200)]
    ) -> str:
        """Return the text of a template, for a new page to begin as."""

        def look(view: View) -> str:
            check(self.call.principal, view, None, "R", f"the space {space}")
            path = next((path for path in view.paths() if is_template(path) and name_of(path) == name), None)
            if path is None:
                raise NotFoundError(f"There is no template {name!r}.", detail={"argument": "name"})
            check(self.call.principal, view, path, "R", f"the template {name}")
            return text_of(view, path) or ""

        return self.service(editor_pages).store.look(space, look)


def _row(macro: Macro) -> MacroRow:
    summary = macro.doc.strip().partition("\n")[0]
    return {
        "name": macro.name,
        "summary": summary,
        "doc": macro.doc,
        "arguments": [_argument(one) for one in macro.parameters],
    }


def _argument(parameter: Parameter) -> MacroArgument:
    kind = parameter.type_name
    options = kind.removeprefix(OPTIONS).split(", ") if kind.startswith(OPTIONS) else []
    default = parameter.default if isinstance(parameter.default, (str, int, float, bool, list, dict)) else None
    return {
        "name": parameter.name,
        "type": kind,
        "required": parameter.required,
        "default": default,
        "options": options,
    }
