from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import pytest

from inference.cli.main import main
from inference.host.report import EngineReport
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
    assert {"bfloat16", "int8"} <= set(value["engines"]["native"]["dtypes"])


def test_doctor_for_people_has_a_line_for_the_gpu() -> None:
    said = real_cli("doctor")
    assert "GPU in build" in said.out
    assert "Folders" in said.out


@pytest.mark.parametrize(
    ("gpus", "types"),
    [
        ((), "float32, int8"),
        (("CUDA: A Card",), "float32, int8 (on the processor only)"),
    ],
)
def test_beside_a_card_int8_is_said_to_be_for_the_processor(
    gpus: tuple[str, ...],
    types: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = EngineReport(available=True, gpus=gpus, dtypes=("float32", "int8"))
    monkeypatch.setattr("inference.cli.doctor.ask_engine", lambda _engine: found)
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split(maxsplit=2)[2:] == [types] for line in lines if "number types" in line)
