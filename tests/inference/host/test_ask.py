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
