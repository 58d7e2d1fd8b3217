"""Where the command line writes: text or one JSON object per line, sentences on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from inference.errors import wire_name

if TYPE_CHECKING:
    from inference.errors import InferenceError

PROGRAM = "glasshouse"
_MANY = 1e7
Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"


def prepare_streams() -> None:
    """Make the standard streams UTF-8 on every system; what is no text is shown as U+FFFD."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us, or a Windows GUI program
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  for life
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def write(text: str) -> None:
    """Print a piece of text at once, as it is."""
    print(text, end="", flush=True)


def line(text: str = "") -> None:
    """Print one line."""
    print(text, flush=True)


def json_line(value: Json) -> None:
    """Print one JSON object on a line of its own; figures that are no number become null."""
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # a file name that is no UTF-8
        text = msgspec.json.encode(_as_unicode(value)).decode()
    print(text, flush=True)


def note(text: str) -> None:
    """Say something beside the answer, on standard error."""
    print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)


def complain(error: InferenceError, *, as_json: bool) -> None:
    """Say what went wrong and the next step; with ``--json`` as a ``failed`` event too."""
    if as_json:
        json_line(
            {
                "event": "failed",
                "error": wire_name(error),
                "message": error.message,
                "hint": error.hint,
            }
        )
    note(error.message)
    if error.hint:
        print(error.hint, file=sys.stderr, flush=True)


def silence_output() -> None:
    """Point standard output at nothing, after its reader has gone: nothing more may be said."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def clean(text: str) -> str:
    """Return an argument as proper Unicode: bytes that were no UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _as_unicode(value: Json) -> Json:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_as_unicode(key)): _as_unicode(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_as_unicode(item) for item in value]
    return value


def read_input() -> str:
    """Read standard input to its end; one line end at its end is not part of it."""
    raw = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    text = raw.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text.removesuffix("\n")


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print rows in columns as wide as their widest cell; ``right`` names right-aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line("  ".join(cells).rstrip())


def quoted(text: str) -> str:
    """Return the text with quotes, its line ends and other invisible characters made visible."""
    return msgspec.json.encode(text).decode()


def token_text(token_id: int, text: str) -> str:
    """Return a token's text as ``quoted``; its id where it has none.

    Many models have more rows than their tokenizer has tokens.
    """
    return quoted(text) if text else f"id {token_id}"


def perplexity_text(perplexity: float) -> str:
    """Return a perplexity for people: ``12.345``, ``1.616e+18`` where digits would mean nothing."""
    return f"{perplexity:,.3f}" if perplexity < _MANY else f"{perplexity:.3e}"


def size_text(size_bytes: float) -> str:
    """Return a size for people: ``7.4 MB``, decimal units as in file managers."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def count_text(count: int) -> str:
    """Return a number of weights for people: ``5.2M``, ``1.2B``."""
    for limit, unit in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= limit:
            return f"{count / limit:.1f}{unit}"
    return str(count) if count else "?"
