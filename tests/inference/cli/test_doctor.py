from __future__ import annotations

import json
import platform
import sys
from typing import TYPE_CHECKING

import pytest

from inference.cli import doctor
from tests.inference.cli.conftest import real_cli

if TYPE_CHECKING:
    from pathlib import Path


def test_doctor_tells_machine_versions_engines_and_folders(home: Path) -> None:
    said = real_cli("doctor", "--json")
    assert said.status == 0, said
    value = json.loads(said.out)
    assert value["machine"]["memory_bytes"] > 0
    assert platform.system() in value["machine"]["system"]
    assert value["versions"]["torch"][0].isdigit()
    assert str(home) in value["folders"]["models"]
    assert value["engines"].keys() == {"gguf", "native"}
    for engine in value["engines"].values():
        assert engine["available"]
        assert engine["reason"].endswith(".")
        assert isinstance(engine["gpu_in_build"], bool)
    assert value["engines"]["gguf"]["processor"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX thing")
def test_an_engine_whose_library_dies_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    monkeypatch.setattr(doctor, "report_command", lambda _: [sys.executable, "-c", code])
    found = doctor.ask_engine("gguf")
    assert not found.available
    assert "refused an instruction" in found.problem


def test_an_engine_that_is_not_installed_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['llama_cpp'] = None; "
        "from inference.host.report import report; print(report('gguf'))"
    )
    monkeypatch.setattr(doctor, "report_command", lambda _: [sys.executable, "-c", code])
    found = doctor.ask_engine("gguf")
    assert not found.available
    assert "llama_cpp" in found.problem


def test_doctor_for_people_has_a_line_for_the_gpu() -> None:
    said = real_cli("doctor")
    assert "GPU in build" in said.out
    assert "Folders" in said.out
