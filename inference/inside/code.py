"""The lines of our own network that do what a figure shows, read from the source files.

Imports none of them: ``inference.native`` needs torch, its text does not.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a file: ``first_line`` counts from 1."""

    file: str
    first_line: int
    text: str


@cache
def excerpt(file: str, name: str) -> Excerpt:
    """Return the lines of a class, function or method.

    Args:
        file: In ``inference/native``, e.g. ``attention.py``.
        name: ``attend``, ``Block`` or ``Block.forward``.

    Raises:
        LookupError: The file has no such name.
    """
    source = files("inference.native").joinpath(file).read_text("utf-8")
    body: list[ast.stmt] = ast.parse(source).body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in body if getattr(node, "name", None) == part), None)
        if found is None:
            raise LookupError(f"{file} has no {name}")
        body = getattr(found, "body", [])
    if found is None or found.end_lineno is None:
        raise LookupError(f"{file} has no {name}")
    lines = source.splitlines()[found.lineno - 1 : found.end_lineno]
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return Excerpt(file, found.lineno, "\n".join(line[indent:] for line in lines))
