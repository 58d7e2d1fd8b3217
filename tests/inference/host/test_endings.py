from __future__ import annotations

import signal
import sys

import pytest

from inference.host.endings import describe_exit

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX thing")


@posix_only
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "memory ran out"),
        (signal.SIGILL, "refused an instruction"),
        (signal.SIGSEGV, "memory that is not its own"),
        (signal.SIGABRT, "stopped itself"),
    ],
)
def test_the_signal_that_ended_the_engine_is_named_and_explained(
    number: signal.Signals, words: str
) -> None:
    error = describe_exit(-number, "last line")
    assert f"signal {int(number)}, {number.name}" in error.message
    assert words in error.message
    assert error.hint
    assert error.detail == "last line"


@posix_only
def test_a_signal_without_a_name_keeps_its_number() -> None:
    assert "signal 250" in describe_exit(-250).message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0xC0000005, "access violation, code 0xC0000005"),
        (0xC000001D, "an illegal instruction"),
        (0xC0000017, "memory ran out"),
        (3, "exit code 3"),
        (0xC0001234, "exit code 0xC0001234"),
    ],
)
def test_exit_codes_are_named(code: int, words: str) -> None:
    assert words in describe_exit(code).message


def test_no_sentence_shouts() -> None:
    for code in (-9, -11, -4, 0, 1, 0xC0000005):
        error = describe_exit(code)
        assert "!" not in error.message + error.hint
        assert error.message.endswith(".")
