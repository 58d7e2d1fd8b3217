"""Ask an engine's libraries about this computer without loading them here."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from inference.host.endings import describe_exit
from inference.host.report import EngineReport
from inference.host.spawn import engine_environment, life_line, no_window, report_command

if TYPE_CHECKING:
    from inference.types import EngineKind

_TIMEOUT_S = 300


def ask_engine(engine: EngineKind) -> EngineReport:
    """Ask one engine's libraries in a process of their own; its death is an answer too."""
    try:
        with life_line() as stdin:
            done = subprocess.run(  # noqa: S603  our own interpreter and module, no shell
                report_command(engine),
                stdin=stdin,
                capture_output=True,
                env=engine_environment(),
                timeout=_TIMEOUT_S,
                check=False,
                creationflags=no_window(),
            )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return EngineReport(available=False, problem=f"It cannot be asked: {exc}")
    if done.returncode != 0:
        error = describe_exit(done.returncode)
        return EngineReport(available=False, problem=error.message)
    last_line = done.stdout.strip().rpartition(b"\n")[2]
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(last_line, type=EngineReport)
    return EngineReport(available=False, problem="It gave no answer that can be read.")
