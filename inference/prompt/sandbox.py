"""The Jinja environment for chat templates: what transformers gives them, and limits.

A template comes with a downloaded model, so it is somebody else's program. Jinja's immutable
sandbox keeps it from reaching Python; the limits here keep it from running for ever and from
building texts of gigabytes. Knows nothing of conversations.
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension
from jinja2.ext import loopcontrols as loop_controls
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2 import Template
    from jinja2.parser import Parser
    from jinja2.runtime import Context

MAX_CHARS = 8_000_000
"""Longest text a template may build, finished or in between; some 2 million tokens."""
MAX_STEPS = 500_000
"""Rounds of loops and calls of macros in one rendering."""
MAX_SECONDS = 10.0
"""Time one rendering may take."""

_MAX_INT_BITS = 4_096
_MAX_POWER = 64
_WIDE_FIELD = re.compile(r"%[^%a-zA-Z]*\d{7}")


class RefusedError(TemplateError):
    """The template called ``raise_exception``: it does not take this conversation."""


class LimitError(TemplateError):
    """The template asks for more than a chat template can need."""


class _GenerationTag(Extension):
    """``{% generation %}``: marks assistant text for training; here its content is just shown."""

    tags = {"generation"}  # noqa: RUF012 - the type that jinja2 declares

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body).set_lineno(line)


class _PlainNamespace(Namespace):
    """``namespace()`` that refuses underscore names, which could reach Python's internals."""

    def __setitem__(self, name: str, value: object) -> None:
        _refuse_private(name)
        super().__setitem__(name, value)


def _namespace(*args: Mapping[str, object], **kwargs: object) -> Namespace:
    for name in (*kwargs, *(name for arg in args for name in dict(arg))):
        _refuse_private(name)
    return _PlainNamespace(*args, **kwargs)


def _refuse_private(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        message = f"a namespace cannot store {name!r}"
        raise SecurityError(message)


def _count_steps(tree: nodes.Template) -> None:
    """Put a step counter into every loop and macro, and a check into every ``~``."""
    bodies = (nodes.For, nodes.Macro, nodes.CallBlock)
    for node in list(tree.find_all((*bodies, nodes.Concat))):
        if isinstance(node, nodes.Concat):
            node.nodes = [_call("join_checked", node.nodes, node.lineno)]
        elif isinstance(node, bodies):
            step = _call("step", [], node.lineno)
            node.body.insert(0, nodes.ExprStmt(step, lineno=node.lineno))


def _call(method: str, arguments: list[nodes.Expr], line: int) -> nodes.Call:
    target = nodes.EnvironmentAttribute(method, lineno=line)
    return nodes.Call(target, arguments, [], None, None, lineno=line)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Compiles and renders one chat template at a time, within limits.

    Same settings, filters and functions as ``apply_chat_template`` of transformers 5.

    Args:
        now: Where ``strftime_now`` takes the time from.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, now: Callable[[], datetime] = datetime.now) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loop_controls]
        )
        self._steps = 0
        self._deadline = 0.0
        self.filters["tojson"] = _to_json
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = lambda form: now().strftime(form)
        self.globals["namespace"] = _namespace

    def compile_checked(self, source: str) -> Template:
        """Compile a template with its step counters; raises ``TemplateError``."""
        tree = self.parse(source)
        _count_steps(tree)
        code = self.compile(tree)
        return self.template_class.from_code(self, code, self.make_globals(None))

    def render_checked(self, template: Template, values: Mapping[str, object]) -> str:
        """Render within the limits; raises ``TemplateError`` and whatever the template provokes."""
        self._steps = 0
        self._deadline = time.monotonic() + MAX_SECONDS
        parts: list[str] = []
        length = 0
        for part in template.generate(values):
            length += len(part)
            if length > MAX_CHARS:
                message = f"the prompt is longer than {MAX_CHARS:,} characters"
                raise LimitError(message)
            parts.append(part)
        return "".join(parts)

    def step(self) -> None:
        """Count one round of a loop or one call of a macro."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            message = f"more than {MAX_STEPS:,} steps"
            raise LimitError(message)
        if self._steps % 256 == 0 and time.monotonic() > self._deadline:
            message = f"more than {MAX_SECONDS:g} seconds"
            raise LimitError(message)

    def join_checked(self, *values: object) -> str:
        """Do what ``~`` does, within the limits."""
        joined = "".join(map(str, values))
        _check_size(joined)
        return joined

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Refuse what would become huge, before and after computing it."""
        if operator == "*":
            _check_repetition(left, right)
            _check_repetition(right, left)
        elif operator == "**" and not (isinstance(right, int | float) and right <= _MAX_POWER):
            message = "a power is too large"
            raise LimitError(message)
        elif operator == "%" and isinstance(left, str) and _WIDE_FIELD.search(left):
            message = "a text field is too wide"
            raise LimitError(message)
        result: object = super().call_binop(context, operator, left, right)
        _check_size(result)
        return result

    def call(
        self, context: Context, function: object, /, *args: object, **kwargs: object
    ) -> object:
        """Refuse absurd results of methods of texts, as in ``"x".ljust(10 ** 9)``."""
        text = getattr(function, "__self__", None)
        if isinstance(text, str):
            _check_widths(args)
            if getattr(function, "__name__", "") == "replace":
                _check_replacement(text, args)
        return super().call(context, function, *args, **kwargs)


def _check_repetition(text: object, times: object) -> None:
    if (
        isinstance(text, str | list | tuple)
        and isinstance(times, int)
        and len(text) * times > MAX_CHARS
    ):
        message = "a repetition is too long"
        raise LimitError(message)


def _check_widths(args: Iterable[object]) -> None:
    if any(isinstance(arg, int) and abs(arg) > MAX_CHARS for arg in args):
        message = "a text field is too wide"
        raise LimitError(message)


def _check_replacement(text: str, args: tuple[object, ...]) -> None:
    old, new = (*args, "", "")[:2]
    if isinstance(old, str) and isinstance(new, str) and text.count(old) * len(new) > MAX_CHARS:
        message = "a replacement is too long"
        raise LimitError(message)


def _check_size(value: object) -> None:
    too_long = isinstance(value, str | list | tuple) and len(value) > MAX_CHARS
    if too_long or (isinstance(value, int) and value.bit_length() > _MAX_INT_BITS):
        message = "a value is too large"
        raise LimitError(message)


def _raise_exception(message: object) -> None:
    raise RefusedError(str(message))


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write JSON as transformers does: Jinja's own ``tojson`` would escape HTML characters."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
