"""``${expression}`` and ``{% if/for/set %}`` over plain data: Jinja2's immutable sandbox, with a page's own limits.

A printed value does not become part of the Markdown at all: a placeholder stands for it until the HTML is finished, so
no value can bring in HTML, Markdown or a macro call. A macro call in the text becomes a node of the template, whose
arguments are the values themselves.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import ChainableUndefined, Template, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from portalfw.wiki import bounds
from portalfw.wiki.calls import MacroCall
from portalfw.wiki.errors import PageSyntaxError
from portalfw.wiki.filters import FILTERS, TESTS
from portalfw.wiki.scan import Code, Segment, is_plain

SECRET = "q" + secrets.token_hex(8)  # nobody outside of this process knows how a placeholder looks
TAG = f"_tag{SECRET}"
RECORD = "_record"
LINE_END = re.compile(r"\r\n?")
LEFT_TAG = re.compile(rf"{{%\+ {TAG} (\d+) \n*\+%}}")


class Placed(str):
    """A placeholder: what finalizing leaves as it is."""

    __slots__ = ()


class _Tags(Extension):
    """The tag that stands for a segment in the template's source."""

    tags = {TAG}  # noqa: RUF012 - declared so by Jinja2

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        index = parser.parse_expression()
        return nodes.Output([nodes.Call(nodes.Name(TAG, "load"), [index], [], None, None)], lineno=line)


@pass_context
def _finalize(context: Context, value: Any) -> str:
    if isinstance(value, Placed):
        return value
    recorder = context[RECORD]
    placed: str = recorder.value(value)
    return placed


class PageEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 as pages may use it."""

    intercepted_binops = frozenset(bounds.OPERATIONS)

    def __init__(self) -> None:
        """Set the delimiters and leave only what is harmless."""
        super().__init__(
            variable_start_string="${",
            variable_end_string="}",
            comment_start_string="{%#",
            comment_end_string="#%}",
            undefined=ChainableUndefined,
            finalize=_finalize,
            extensions=[_Tags],
            autoescape=False,  # values never reach the text: see _finalize
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        self.filters = {**FILTERS, "_bounded": bounds.bounded, "_concatenate": bounds.concatenate}
        self.tests = dict(TESTS)
        self.globals = {"range": _range}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja2's signature
        """Calculate within bounds."""
        return bounds.operate(operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a field of an object; Python's own attributes are out of reach."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read an item of an object or a list; nothing else has items, but ``loop`` has its counters."""
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, (Mapping, list, tuple, str)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj if isinstance(obj, Mapping) else None, name=str(argument))
        return super().getattr(obj, argument)

    def is_safe_callable(self, obj: Any) -> bool:
        """Allow ``range`` and the recorder; data has nothing to call."""
        return obj is _range or bool(getattr(obj, "for_pages", False))


def _range(*bound: int) -> range:
    numbers = range(*bound)
    if len(numbers) > 1000:  # noqa: PLR2004 - a page never needs more
        raise SecurityError("range() is limited to 1000 numbers")
    return numbers


@functools.cache
def environment() -> PageEnvironment:
    """Return the process's one environment; it holds no state of any page."""
    return PageEnvironment()


class _Assembler(NodeTransformer):
    """Puts code and macro calls in place of their tags."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja2's naming
        index = _tag_index(node)
        if index is None:
            self.generic_visit(node)
            return node
        segment = self.segments[index]
        if isinstance(segment, Code):
            return nodes.Output([nodes.TemplateData(segment.text)], lineno=node.lineno)
        if isinstance(segment, MacroCall):
            return nodes.Output([_call(segment, index, node.lineno)], lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's naming
        self.generic_visit(node)
        return _concatenated(node.nodes, node.lineno)


def _tag_index(node: nodes.Output) -> int | None:
    call = node.nodes[0] if node.nodes else None
    if isinstance(call, nodes.Call) and isinstance(call.node, nodes.Name) and call.node.name == TAG:
        index = call.args[0]
        return int(index.value) if isinstance(index, nodes.Const) else None
    return None


def _call(call: MacroCall, index: int, line: int) -> nodes.Call:
    arguments = [
        nodes.Const(index),
        _node(dict(call.named), line),
        _node(list(call.positional), line),
        _node(call.body, line),
    ]
    return nodes.Call(nodes.Name(RECORD, "load"), arguments, [], None, None, lineno=line)


def _concatenated(parts: list[nodes.Expr], line: int) -> nodes.Filter:
    return nodes.Filter(nodes.List(parts), "_concatenate", [], [], None, None, lineno=line)


def _node(value: Any, line: int) -> nodes.Expr:
    """Return the expression for an argument as written: every text in it may hold ``${…}``."""
    if isinstance(value, str):
        return _text_node(value, line)
    if isinstance(value, list):
        return nodes.List([_node(part, line) for part in value], lineno=line)
    if isinstance(value, dict):
        pairs = [nodes.Pair(_node(key, line), _node(part, line)) for key, part in value.items()]
        return nodes.Dict(pairs, lineno=line)
    if isinstance(value, (int, float, bool, type(None))):
        return nodes.Const(value, lineno=line)
    return nodes.Const(str(value), lineno=line)  # YAML's dates


def _text_node(value: str, line: int) -> nodes.Expr:
    if "${" not in value:
        return nodes.Const(value, lineno=line)
    tree = _parse(value, line)
    parts: list[nodes.Expr] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            raise TemplateSyntaxError("an argument may hold ${…}, but no {% %}", line)
        parts.extend(nodes.Const(part.data) if isinstance(part, nodes.TemplateData) else part for part in output.nodes)
    for part in parts:
        part.set_lineno(line, override=True)
    return parts[0] if len(parts) == 1 else _concatenated(parts, line)


def _parse(text: str, line: int) -> nodes.Template:
    tree = Parser(environment(), text.replace("{%", "{ %")).parse()
    bounds.restrict(tree)
    _Assembler(()).visit(tree)
    tree.set_lineno(line, override=True)
    return tree


@dataclass(frozen=True)
class Text:
    """A text of a page, compiled: run it with :meth:`run` and a recorder."""

    template: Template | None  # none for a text without expressions and macro calls
    segments: Sequence[Segment]
    first_line: int
    names: frozenset[str]  # the variables that it reads
    call_names: Mapping[int, frozenset[str]]  # the variables that each macro call reads, by segment

    @functools.cached_property
    def numbers(self) -> Mapping[int, int]:
        """The place of each macro call among the calls of the text, counting from 1, by segment."""
        calls = (index for index, segment in enumerate(self.segments) if isinstance(segment, MacroCall))
        return {index: number for number, index in enumerate(calls, 1)}

    def run(self, values: Mapping[str, Any], recorder: Any, *, limit: int) -> str:
        """Return the Markdown, in which placeholders stand for values and macro calls.

        :raises PageSyntaxError: naming the line of the file whose expression fails.
        """
        parts, length = [], 0
        try:
            for part in self._parts({**values, RECORD: recorder, bounds.BUDGET: recorder.budget}):
                length += len(part)
                if length > limit:
                    raise SecurityError(f"the page makes over {limit} characters")
                parts.append(part)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            raise PageSyntaxError(str(error)[:300], self._line(error)) from error
        return LEFT_TAG.sub(self._untagged, "".join(parts))

    def _parts(self, values: Mapping[str, Any]) -> Iterable[str]:
        if self.template is not None:
            return self.template.generate(values)
        return [LINE_END.sub("\n", segment) for segment in self.segments if isinstance(segment, str)]

    def _line(self, error: BaseException) -> int:
        trace, found = error.__traceback__, 1
        while trace:
            if trace.tb_frame.f_code.co_filename == "<template>":
                found = trace.tb_lineno
            trace = trace.tb_next
        return self.first_line + found - 1

    def _untagged(self, found: re.Match[str]) -> str:
        """Return the source of a call that an author put into a raw block."""
        segment = self.segments[int(found[1])]
        return segment.source if isinstance(segment, MacroCall) else getattr(segment, "text", "")


def compile_text(segments: Sequence[Segment], first_line: int) -> Text:
    """Compile a scanned text.

    :raises PageSyntaxError: if an expression or a block cannot be understood, naming the line.
    """
    if all(isinstance(part, str) and is_plain(part) for part in segments):
        return Text(None, segments, first_line, frozenset(), {})
    source = "".join(part if isinstance(part, str) else _tag(index, part) for index, part in enumerate(segments))
    try:
        tree = Parser(environment(), source).parse()
        bounds.restrict(tree, TAG)
        tree = _Assembler(segments).visit(tree)
        template = environment().from_string(tree)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        raise PageSyntaxError(str(error.message), first_line + line - 1) from error
    names = frozenset(name.name for name in tree.find_all(nodes.Name) if name.ctx == "load")
    return Text(template, segments, first_line, names, _call_names(tree, names))


def _call_names(tree: nodes.Template, everything: frozenset[str]) -> dict[int, frozenset[str]]:
    """Return what each call reads; one that reads a variable set in the text may depend on all that the text reads."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    found = {}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == RECORD and isinstance(call.args[0], nodes.Const):
            names = frozenset(name.name for name in call.find_all(nodes.Name))
            found[call.args[0].value] = everything if names & own else names
    return found


def _tag(index: int, segment: Code | MacroCall) -> str:
    lines = segment.text.count("\n") if isinstance(segment, Code) else segment.end_lines
    return f"{{%+ {TAG} {index} {chr(10) * lines}+%}}"


@dataclass(frozen=True)
class Value:
    """A value of the front matter: texts in it may be expressions, and one whole expression keeps its type."""

    template: Template | None
    names: frozenset[str]
    line: int
    fixed: str | float | None = None  # what it is if nothing in it has to be worked out: then there is no template

    def run(self, values: Mapping[str, Any], *, steps: int = 1000) -> Any:
        """Return the value.

        :raises PageSyntaxError: naming the line of the front matter.
        """
        if self.template is None:
            return self.fixed
        keeper = _Keeper()
        try:
            self.template.render({**values, RECORD: keeper, bounds.BUDGET: bounds.Budget(steps)})
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            raise PageSyntaxError(str(error)[:300], self.line) from error
        return keeper.kept


class _Keeper:
    """Keeps the one value that a template hands it."""

    for_pages = True
    kept: Any = None

    def __call__(self, value: Any) -> Placed:
        self.kept = None if isinstance(value, Undefined) else value
        return Placed("")


def compile_value(value: Any, line: int) -> Value:
    """Compile a value of the front matter.

    :raises PageSyntaxError: if an expression in it cannot be understood.
    """
    try:
        node = _node(value, 1)
        if isinstance(node, nodes.Const):
            return Value(None, frozenset(), line, node.value)
        call = nodes.Call(nodes.Name(RECORD, "load"), [node], [], None, None)
        tree = nodes.Template([nodes.Output([call])], lineno=1)
        tree.set_environment(environment())
        names = frozenset(name.name for name in tree.find_all(nodes.Name))
        return Value(environment().from_string(tree), names - {RECORD}, line)
    except TemplateError as error:
        raise PageSyntaxError(str(error.message), line) from error
