"""What an engine's libraries say, asked in a process that may die of it."""

from __future__ import annotations

import sys

import pytest

from inference.host import ask


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX thing")
def test_an_engine_whose_library_dies_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    monkeypatch.setattr(ask, "report_command", lambda _: [sys.executable, "-c", code])
    found = ask.ask_engine("gguf")
    assert not found.available
    assert "refused an instruction" in found.problem


def test_an_engine_that_is_not_installed_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['llama_cpp'] = None; "
        "from inference.host.report import report; print(report('gguf'))"
    )
    monkeypatch.setattr(ask, "report_command", lambda _: [sys.executable, "-c", code])
    found = ask.ask_engine("gguf")
    assert not found.available
    assert "llama_cpp" in found.problem


def test_a_cards_memory_is_measured_in_a_process_of_its_own() -> None:
    found = ask.ask_card_speed("No Such Card")
    assert found.bytes_per_s == 0
    assert found.problem == "PyTorch measures it, and does not reach No Such Card"


def test_without_pytorch_the_speed_of_a_card_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; "
        "from inference.host.report import card_speed; print(card_speed('CUDA: A Card'))"
    )
    monkeypatch.setattr(ask, "bandwidth_command", lambda _: [sys.executable, "-c", code])
    found = ask.ask_card_speed("CUDA: A Card")
    assert found.bytes_per_s == 0
    assert found.problem.startswith("PyTorch, which measures it, does not start")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX thing")
def test_a_process_that_dies_while_it_measures_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(ask, "bandwidth_command", lambda _: [sys.executable, "-c", code])
    found = ask.ask_card_speed("CUDA: A Card")
    assert found.problem.startswith("the process that measures it gave no answer (")
