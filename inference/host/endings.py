"""Why an engine process ended, in a sentence: from its exit code to an ``EngineCrashedError``."""

from __future__ import annotations

import signal
import sys

from inference.errors import EngineCrashedError

_RETRY = "Try again: the model is loaded anew. What was written so far is kept."
_MEMORY = (
    "Close other programs, or take a smaller model or a shorter context. Then try again: what was "
    "written so far is kept."
)
_PROCESSOR = "Run `glasshouse doctor`: it shows what this processor can do. Then try again."
_FILE = "Try again. If it happens every time with this model, its file may be damaged."

_SIGNALS = {
    "SIGKILL": ("the system ended it, often because memory ran out", _MEMORY),
    "SIGTERM": ("another program asked it to stop", _RETRY),
    "SIGILL": (
        "this processor refused an instruction that the engine was built to use",
        _PROCESSOR,
    ),
    "SIGSEGV": ("it reached for memory that is not its own", _FILE),
    "SIGBUS": ("a file it was reading became shorter, or the disk did not answer", _FILE),
    "SIGABRT": ("it met something it could not go on from and stopped itself", _FILE),
    "SIGFPE": ("it met a sum that has no result", _FILE),
}
# NTSTATUS values, from Microsoft's [MS-ERREF] section 2.3.1.
_WINDOWS_CODES = {
    0xC0000005: ("an access violation", *_SIGNALS["SIGSEGV"]),
    0xC000001D: ("an illegal instruction", *_SIGNALS["SIGILL"]),
    0xC0000006: ("an in-page error", *_SIGNALS["SIGBUS"]),
    0xC0000017: ("no memory", "memory ran out", _MEMORY),
    0xC000012D: ("commitment limit", "memory ran out", _MEMORY),
    0xC00000FD: ("a stack overflow", "it ran out of stack", _FILE),
    0xC0000409: ("a fail-fast stop", *_SIGNALS["SIGABRT"]),
    0xC0000135: ("a missing library", "a library that it needs is missing", _PROCESSOR),
}


def describe_exit(returncode: int, output: str = "") -> EngineCrashedError:
    """Return the error for an engine process that ended by itself.

    Args:
        returncode: As ``subprocess`` reports it: minus the signal's number on POSIX.
        output: The last lines that the process printed.
    """
    cause, hint = exit_cause(returncode)
    error = EngineCrashedError(f"The engine stopped: {cause}.", hint, output)
    error.starved = hint is _MEMORY
    return error


def exit_cause(returncode: int) -> tuple[str, str]:
    """Return why a process ended, to complete "it stopped: ...", and a hint for engines."""
    if returncode < 0 and sys.platform != "win32":
        return _signal_cause(-returncode)
    code = returncode & 0xFFFFFFFF
    if code in _WINDOWS_CODES:
        name, what, hint = _WINDOWS_CODES[code]
        return f"{what} ({name}, code 0x{code:08X})", hint
    shown = f"0x{code:08X}" if code > 0xFFFF else str(code)
    return f"it ended by itself with exit code {shown}", _RETRY


def _signal_cause(number: int) -> tuple[str, str]:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number} ended it", _RETRY
    what, hint = _SIGNALS.get(name, ("a signal ended it", _RETRY))
    return f"{what} (signal {number}, {name})", hint
