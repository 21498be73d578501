"""What expressions in pages may do: read plain data, loop a little, use these filters. Nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateAssertionError
from jinja2.runtime import Context, Undefined

from portalfw.wiki.formats import Shape

BUDGET = "_budget"
LONGEST = 100_000  # characters of one text made by an expression
FORBIDDEN = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
    nodes.FilterBlock,
    nodes.AssignBlock,
)


class Budget:
    """Counts the turns of all loops of one rendering."""

    def __init__(self, steps: int) -> None:
        """Allow ``steps`` turns."""
        self.steps = steps

    def spend(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items, one step each.

        :raises SecurityError: when the steps are used up.
        """
        for item in items:
            self.steps -= 1
            if self.steps < 0:
                raise SecurityError("the loops of this page take too many turns")
            yield item


@pass_context
def bounded(context: Context, items: Any) -> Iterator[Any]:
    """Iterate within the page's budget (put around every loop)."""
    budget: Budget = context[BUDGET]
    return budget.spend(items)


def text(value: Any) -> str:
    """Return a scalar as people read it.

    :raises TypeError: for lists and objects, which are not text.
    """
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        return checked(str(value))
    if isinstance(value, Shape):
        return checked(value.raw)
    if isinstance(value, (list, tuple)) and all(
        isinstance(part, (str, int, float, type(None))) for part in value[:1000]
    ):
        return checked(", ".join(text(part) for part in value[:1000]))
    raise TypeError(f"a {'list' if isinstance(value, (list, tuple)) else 'object'} is not text; name one of its fields")


def checked(value: str) -> str:
    """Return ``value`` unless it is too long.

    :raises SecurityError: if it is.
    """
    if len(value) > LONGEST:
        raise SecurityError(f"an expression makes a text of over {LONGEST} characters")
    return value


def concatenate(parts: Iterable[Any]) -> str:
    """Join values to one text."""
    return checked("".join(text(part) for part in parts))


def restrict(tree: nodes.Template, *allowed: str) -> None:
    """Refuse what pages may not use, and put the budget around what may run long.

    :param allowed: names that the compiler itself put in.

    :raises TemplateAssertionError: naming the line.
    """
    for node in tree.find_all(FORBIDDEN):
        raise TemplateAssertionError(f"{type(node).__name__.lower()} blocks are not available in pages", node.lineno)
    for name in tree.find_all(nodes.Name):
        if name.name.startswith("_") and name.name not in allowed:
            raise TemplateAssertionError(f"the name {name.name} is not available in pages", name.lineno)
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise TemplateAssertionError("recursive loops are not available in pages", loop.lineno)
        loop.iter = nodes.Filter(loop.iter, "_bounded", [], [], None, None, lineno=loop.lineno)


def operate(operator: str, left: Any, right: Any) -> Any:
    """Do ``+ - * / // % **`` on numbers, and ``+`` on short texts and lists."""
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    if not numbers and operator != "+":
        raise SecurityError(f"{operator} works on numbers only")
    if operator == "+" and not numbers:
        return _add(left, right)
    if max(abs(left), abs(right)) > 2**63 or (operator == "**" and abs(right) > 63):  # noqa: PLR2004 - 64-bit numbers
        raise SecurityError("the numbers are too large")
    return OPERATIONS[operator](left, right)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return checked(left + right)
    if isinstance(left, list) and isinstance(right, list) and len(left) + len(right) <= LONGEST // 10:
        return left + right
    raise SecurityError("+ works on two numbers, two texts or two lists; use ~ to join values to a text")


OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "%": lambda left, right: left % right,
    "**": lambda left, right: left**right,
}
