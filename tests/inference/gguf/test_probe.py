from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from inference.errors import BackendUnavailableError
from inference.gguf import probe
from inference.gguf.tiny_file import write_tiny_file

if TYPE_CHECKING:
    from pathlib import Path

    from inference.gguf.probe import Outcome


def _die_by(signal_name: str) -> list[str]:
    code = f"import os, signal; os.kill(os.getpid(), signal.{signal_name})"
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("mode", ["all", "plain"])
def test_this_build_runs_a_quantised_prompt_on_this_processor(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "probe.gguf"
    write_tiny_file(file)
    command = probe._command(file, extra_bufts=mode == "all")
    assert command[-1] == mode
    assert probe.run_child(command) == "works"


def test_a_refused_file_is_no_verdict_on_the_processor(tmp_path: Path) -> None:
    file = tmp_path / "probe.gguf"
    file.write_bytes(b"nothing")
    assert probe.run_child(probe._command(file, extra_bufts=True)) == "unknown"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("name", "outcome"), [("SIGILL", "dies"), ("SIGSEGV", "dies"), ("SIGKILL", "unknown")]
)
def test_a_child_that_traps_is_told_from_one_that_was_killed(name: str, outcome: str) -> None:
    assert probe.run_child(_die_by(name)) == outcome


@pytest.mark.parametrize(
    ("returncode", "outcome"), [(0, "works"), (1, "unknown"), (0xC000001D, "dies")]
)
def test_exit_statuses_are_judged(returncode: int, outcome: str) -> None:
    assert probe.judge(returncode) == outcome


@pytest.mark.parametrize(
    ("with_extra", "without", "verdict", "certain"),
    [
        ("works", None, "all", True),
        ("unknown", None, "all", False),
        ("dies", "works", "plain", True),
        ("dies", "unknown", "plain", False),
        ("dies", "dies", "none", True),
    ],
)
def test_the_verdict_follows_from_at_most_two_children(
    with_extra: Outcome, without: Outcome | None, verdict: str, certain: bool
) -> None:
    def run(extra: bool) -> Outcome:
        outcome = with_extra if extra else without
        assert outcome is not None, "this child need not run"
        return outcome

    assert probe.decide(run) == (verdict, certain)


def test_the_verdict_is_found_once_and_then_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert probe.safe_load_flags(tmp_path / "cache").use_extra_bufts
    assert len(list((tmp_path / "cache").iterdir())) == 1

    def no_child(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a child was started although the verdict is known")

    monkeypatch.setattr(subprocess, "run", no_child)
    assert probe.safe_load_flags(tmp_path / "cache").use_extra_bufts


def test_a_processor_that_traps_loads_without_extra_buffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Outcome] = ["dies", "works"]
    monkeypatch.setattr(probe, "run_child", lambda _command: outcomes.pop(0))
    assert not probe.safe_load_flags(tmp_path).use_extra_bufts
    assert not probe.safe_load_flags(tmp_path).use_extra_bufts  # remembered: no outcome is left


def test_a_build_that_always_traps_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Outcome] = ["dies", "dies"]
    monkeypatch.setattr(probe, "run_child", lambda _command: outcomes.pop(0))
    for _ in range(2):
        with pytest.raises(BackendUnavailableError, match="processor"):
            probe.safe_load_flags(tmp_path)


def test_another_build_or_processor_is_probed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert probe.safe_load_flags(tmp_path).use_extra_bufts
    library = tmp_path / "lib"
    library.mkdir()
    (library / "libggml-cpu.so").write_bytes(b"another build")
    before = probe.build_key()
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(library))
    assert probe.build_key() != before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1, "verdict": []}', b"\xff"])
def test_a_damaged_memory_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "llama-cpp-probe.json").write_bytes(content)
    assert probe.safe_load_flags(tmp_path).use_extra_bufts


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a read-only folder")
def test_a_read_only_cache_is_no_obstacle(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert probe.safe_load_flags(tmp_path / "cache").use_extra_bufts
