from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.helpers.gguf_files import tiny_gguf
from tests.inference.cli.conftest import environment, fake_command

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are a POSIX thing", allow_module_level=True)

import os
import pty
import select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """A person at a terminal, talking to the program."""

    def __init__(self, words: list[str], script: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            words,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  Ctrl+C needs a controlling terminal
            env=environment(GLASSHOUSE_FAKE=script, TERM="dumb"),
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, words: str, limit_s: float = 20) -> None:
        """Read until ``words`` appear; forget everything up to them."""
        deadline = time.monotonic() + limit_s
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if not select.select([self._ours], [], [], 0.5)[0]:
                continue
            try:
                self.seen += os.read(self._ours, 4096).decode(errors="replace")
            except OSError:
                break  # the program has ended
        assert words in self.seen, self.seen
        self.seen = self.seen.partition(words)[2]

    def press_until(self, key: str, words: str) -> None:
        """Press a key until ``words`` appear: right after a prompt the terminal may miss it."""
        for _ in range(5):
            self.type(key)
            with suppress(AssertionError):
                return self.wait_for(words, 4)
        raise AssertionError(self.seen)

    def close(self) -> int:
        status = self.process.wait(20)
        os.close(self._ours)
        return status


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def talk(instruct: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*words: object, script: str) -> Terminal:
        terminal = Terminal(fake_command("run", *(words or (instruct,))), script)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.close()


def test_a_terminal_without_a_prompt_becomes_a_chat(talk: Callable[..., Terminal]) -> None:
    terminal = talk(script="text=Good day to you.")
    terminal.wait_for("/help tells more")
    terminal.wait_for("> ")
    terminal.type("hello\n")
    terminal.wait_for("Good day to you.")
    terminal.wait_for("> ")
    terminal.type("/help\n")
    terminal.wait_for("/model NAME")
    terminal.type("/nonsense\n")
    terminal.wait_for("There is no command /nonsense")
    terminal.type("/quit\n")
    assert terminal.close() == 0


def test_ctrl_c_stops_an_answer_and_not_the_chat(talk: Callable[..., Terminal]) -> None:
    terminal = talk(script="rate=20,tokens=100000")
    terminal.wait_for("> ")
    terminal.type("hello\n")
    terminal.wait_for("hello")
    time.sleep(0.5)
    terminal.type(CTRL_C)
    terminal.wait_for("(stopped)")
    terminal.wait_for("> ")
    terminal.press_until(CTRL_C, "Ctrl+D or /quit leaves")
    terminal.wait_for("> ")  # before that the terminal is not in the mode that reads Ctrl+D
    terminal.type(CTRL_D)
    assert terminal.close() == 0


def test_another_model_takes_over_and_a_missing_one_changes_nothing(
    talk: Callable[..., Terminal], tmp_path: Path
) -> None:
    other = tiny_gguf(tmp_path / "other.gguf", name="The Other One")
    terminal = talk(script="tokens=3")
    terminal.wait_for("> ")
    terminal.type("/model no-such-model\n")
    terminal.wait_for("There is no installed model")
    terminal.type("/model\n")
    terminal.wait_for("tiny-instruct:")
    terminal.type(f"/model {other}\n")
    terminal.wait_for("The Other One")
    terminal.type("/new\n")
    terminal.wait_for("A new conversation")
    terminal.type("/quit\n")
    assert terminal.close() == 0


def test_an_engine_that_dies_is_told_and_the_chat_goes_on(talk: Callable[..., Terminal]) -> None:
    terminal = talk(script="crash_at=1,tokens=3")
    terminal.wait_for("> ")
    terminal.type("hello\n")
    terminal.wait_for("signal 9")
    terminal.wait_for("The model is loaded anew")
    terminal.wait_for("> ")
    terminal.type("/quit\n")
    assert terminal.close() == 0


def test_a_base_model_says_that_it_continues(talk: Callable[..., Terminal], base: Path) -> None:
    terminal = talk(base, script="base=1,text= upon a time")
    terminal.wait_for("It continues your text")
    terminal.wait_for("> ")
    terminal.type("Once\n")
    terminal.wait_for("upon a time")
    terminal.wait_for("> ")  # before that the terminal is not in the mode that reads Ctrl+D
    terminal.type(CTRL_D)
    assert terminal.close() == 0
