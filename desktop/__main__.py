"""The ``glasshouse`` command: opens the window, or hands over to the command line.

Only the words are looked at here; whatever a command needs is imported when it is chosen, so that
the window opens quickly and the command line needs no display.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """Without a command the window opens; with the PATH of a .gguf file or a checkpoint
folder it opens with that model. `glasshouse chats list | show | search | export | import` reads
your chats and takes them along."""


_NO_DISPLAY = """glasshouse: There is no display here, so the window cannot open.
`glasshouse run starter-instruct` opens the same chat in the terminal."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        argv: The words after the program's name.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except KeyboardInterrupt:  # also while the modules of a command are still being read
        return 130


def _run(words: list[str]) -> int:
    if not words or (len(words) == 1 and _is_model(words[0])):
        if not _has_display():
            print(_NO_DISPLAY, file=sys.stderr)  # noqa: T201  to whoever asked for a window
            return 1
        from desktop.app import main as open_window  # noqa: PLC0415  see the module

        return open_window(Path(words[0]) if words else None)
    if words[0] == "chats":
        from desktop.store.cli import main as chats  # noqa: PLC0415  see the module

        return chats(words[1:])
    if words[0] == "engine-process":  # how a frozen application starts its engines
        from inference.host.server import main as serve  # noqa: PLC0415  see the module

        serve(words[1:])
    from inference.cli.main import main as command_line  # noqa: PLC0415  see the module

    return command_line(words, epilog=_EPILOG)


def _has_display() -> bool:
    """Whether a window can be opened: Qt would end the process without one."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _is_model(word: str) -> bool:
    """Whether a word is the path of a model; a command wins over a folder of the same name."""
    from inference.cli.commands import COMMANDS  # noqa: PLC0415  see the module

    path = Path(word)
    if word.startswith("-") or word in COMMANDS:
        return False
    return path.suffix.lower() == ".gguf" or path.is_dir() or path.is_file()


if __name__ == "__main__":
    sys.exit(main())
