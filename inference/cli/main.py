"""The parser of the command line and the one place where its errors become sentences."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from inference.cli import bench, console, doctor, inspect, models, run, tokens
from inference.cli.session import INTERRUPTED
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INTERMIXED = (
    "run",
    "tokens",
    "inspect",
)  # MODEL --option TEXT: plain argparse wants MODEL TEXT together


def main(argv: Sequence[str] | None = None, *, factory: str | None = None, epilog: str = "") -> int:
    """Run one command.

    Args:
        argv: The words after the program's name.
        factory: ``module:function`` that opens engines instead of the two real ones.
        epilog: Added to the help: what else the program can do.

    Returns:
        0 done, 1 failed with a sentence on standard error, 130 interrupted. Wrong usage ends the
        program with 2.
    """
    console.prepare_streams()
    arguments = parse(sys.argv[1:] if argv is None else argv, epilog)
    arguments.factory = factory
    return guarded(arguments)


def guarded(arguments: argparse.Namespace) -> int:
    """Run the chosen handler; known trouble becomes a sentence and an exit status."""
    as_json = getattr(arguments, "json", False)
    try:
        status = int(arguments.handler(arguments))
        sys.stdout.flush()
    except InferenceError as exc:
        _complain(exc, as_json=as_json)
        return 1
    except BrokenPipeError:  # the reader has gone, as in `| head`: nobody to tell
        console.silence_output()
        return 1
    except OSError as exc:  # a full disk under the output, a folder that may not be entered
        reason = exc.strerror or str(exc)
        where = f" ({exc.filename})" if exc.filename else ""
        error = InferenceError(
            f"Something could not be read or written: {reason}{where}.",
            "Check the disk and its permissions, then try again.",
        )
        _complain(error, as_json=as_json)
        console.silence_output()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _complain(error: InferenceError, *, as_json: bool) -> None:
    try:
        console.complain(error, as_json=as_json)
    except OSError:  # standard output is the trouble; standard error may still be read
        console.silence_output()
        with suppress(OSError):
            console.complain(error, as_json=False)


def parse(words: Sequence[str], epilog: str = "") -> argparse.Namespace:
    """Read a command line; wrong usage ends the program with 2."""
    parser, commands = build_parsers(epilog)
    if words and words[0] in _INTERMIXED:
        return commands[words[0]].parse_intermixed_args(words[1:])
    return parser.parse_args(words)


def build_parsers(
    epilog: str = "",
) -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser with all commands, and the commands' own parsers."""
    parser = argparse.ArgumentParser(
        prog=console.PROGRAM,
        description="Language models on your own computer, offline.",
        epilog=epilog or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (run, models, tokens, inspect, bench, doctor):
        command.add_parser(commands)
    return parser, commands.choices


def _version() -> str:
    try:
        return f"{console.PROGRAM} {importlib.metadata.version(console.PROGRAM)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{console.PROGRAM}, run from its sources"
