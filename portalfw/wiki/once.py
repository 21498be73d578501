"""Parts of templates that hang on nothing but their arguments, drawn once: most rows of a table stay as they were."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any, Final

import orjson
from jinja2 import Environment, Template
from markupsafe import Markup

MOST: Final = 4096
LARGEST: Final = 8192  # bytes of arguments; what is larger is rarely the same again

_EXACTLY: Final = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_NON_STR_KEYS
)

_OTHER: Final = secrets.token_hex(8)
"""Marks what is no plain JSON, so that no text which somebody wrote is ever taken for safe HTML of the same words."""


class Once:
    """Calls a macro of a template, or returns what it has made of the same arguments before."""

    def __init__(self, environment: Environment) -> None:
        """Find templates in ``environment``."""
        self._environment = environment
        self._drawn: OrderedDict[tuple[Template, str, bytes], Markup] = OrderedDict()

    def __call__(self, name: str, macro: str, *arguments: Any) -> Markup:
        """Return what ``macro`` of the template ``name`` makes of ``arguments``; it must hang on nothing else."""
        template = self._environment.get_template(name)  # another one when its file has changed
        draw = getattr(template.module, macro)
        try:
            words = orjson.dumps(arguments, _plain, _EXACTLY)
        except TypeError:  # a number beyond 64 bits, half a character: such a one is drawn each time
            return Markup(draw(*arguments))  # noqa: S704 - made by an autoescaping template
        key = (template, macro, words)
        found = self._drawn.get(key)
        if found is None:
            found = Markup(draw(*arguments))  # noqa: S704 - made by an autoescaping template
            if len(words) <= LARGEST:
                self._drawn[key] = found
            if len(self._drawn) > MOST:
                self._drawn.popitem(last=False)
        else:
            self._drawn.move_to_end(key)
        return found


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else [_OTHER, type(value).__qualname__, str(value)]
