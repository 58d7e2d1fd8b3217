"""Ask an engine's libraries about this computer without loading them here."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from inference.host.endings import describe_exit
from inference.host.report import CardSpeed, EngineReport
from inference.host.spawn import (
    bandwidth_command,
    engine_environment,
    life_line,
    no_window,
    report_command,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.types import EngineKind

_TIMEOUT_S = 300


class _NoAnswerError(Exception):
    """The process gave none; the text is a sentence that says why."""


def ask_engine(engine: EngineKind) -> EngineReport:
    """Ask one engine's libraries in a process of their own; its death is an answer too."""
    try:
        answer = _answer_of(report_command(engine))
    except _NoAnswerError as exc:
        return EngineReport(available=False, problem=str(exc))
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(answer, type=EngineReport)
    return EngineReport(available=False, problem="It gave no answer that can be read.")


def ask_card_speed(card: str) -> CardSpeed:
    """Measure a graphics card's memory in a process of its own, which PyTorch may not survive.

    Args:
        card: Its name, as ``LoadedModel.device`` has it.
    """
    try:
        return msgspec.json.decode(_answer_of(bandwidth_command(card)), type=CardSpeed)
    except (_NoAnswerError, msgspec.DecodeError) as exc:
        return CardSpeed(problem=f"the process that measures it gave no answer ({exc})")


def _answer_of(command: Sequence[str]) -> bytes:
    """Return the last line that a process prints.

    Raises:
        _NoAnswerError: It cannot be started, takes too long, or dies.
    """
    try:
        with life_line() as stdin:
            done = subprocess.run(  # noqa: S603  our own interpreter and module, no shell
                command,
                stdin=stdin,
                capture_output=True,
                env=engine_environment(),
                timeout=_TIMEOUT_S,
                check=False,
                creationflags=no_window(),
            )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise _NoAnswerError(f"It cannot be asked: {exc}") from exc
    if done.returncode != 0:
        raise _NoAnswerError(describe_exit(done.returncode).message)
    return done.stdout.strip().rpartition(b"\n")[2]
