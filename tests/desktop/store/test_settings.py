"""Settings survive bad values, unknown keys, damage and disks that cannot be written."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import msgspec
import pytest

from desktop.store.settings import EngineOptions, Settings, SettingsFile
from inference.errors import ReadOnlyFolderError
from inference.types import SamplingParams

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def _write(path: Path, values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def test_settings_come_back_as_they_were_saved(path: Path) -> None:
    wanted = Settings(
        theme="dark",
        default_model="x",
        sampling=SamplingParams(temperature=0, seed=3, stop=("a",)),
        system_prompt="Be brief.",
        font_size=20,
        measure=560,
        motion="reduced",
        engine=EngineOptions(n_ctx=2048, gpu_layers=0, threads=2),
        window_geometry="AAAA",
        splitters={"chat": (200, 600)},
        starred=("catalog:a",),
    )
    SettingsFile(path).save(wanted)
    assert SettingsFile(path).load() == wanted
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_without_a_file_there_are_defaults_and_none_is_written(path: Path) -> None:
    assert SettingsFile(path).load() == Settings()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"theme": "pink", "font_size": 18}, Settings(font_size=18)),
        ({"font_size": 99, "theme": "dark"}, Settings(theme="dark")),
        ({"measure": 600}, Settings()),
        ({"engine": {"threads": 0, "n_ctx": 512}}, Settings(engine=EngineOptions(n_ctx=512))),
        ({"engine": 5}, Settings()),
        (
            {"sampling": {"temperature": -1, "top_k": 7}},
            Settings(sampling=SamplingParams(top_k=7)),
        ),
        ({"splitters": {"a": "wide"}}, Settings()),
    ],
)
def test_a_bad_value_costs_only_itself_and_is_logged(
    path: Path, caplog: pytest.LogCaptureFixture, values: object, expected: Settings
) -> None:
    _write(path, values)
    with caplog.at_level(logging.WARNING):
        assert SettingsFile(path).load() == expected
    assert "default" in caplog.text


def test_keys_of_another_version_are_kept(path: Path) -> None:
    _write(path, {"theme": "dark", "from_the_future": {"a": [1]}})
    file = SettingsFile(path)
    file.save(msgspec.structs.replace(file.load(), font_size=14))
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["from_the_future"] == {"a": [1]}
    assert (saved["theme"], saved["font_size"]) == ("dark", 14)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null"])
def test_a_damaged_file_is_set_aside(
    path: Path, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert SettingsFile(path).load() == Settings()
    assert path.with_name("settings.json.damaged").read_bytes() == data


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "config"
    in_the_way.write_text("", encoding="utf-8")
    file = SettingsFile(in_the_way / "settings.json")
    assert file.load() == Settings()
    with pytest.raises(ReadOnlyFolderError, match="settings file"):
        file.save(Settings())
