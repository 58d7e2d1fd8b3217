from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from inference.errors import StoreError
from inference.library.model_defaults import ModelDefaults, TemplateChoice
from inference.library.notes import FILE, ModelNote, ModelNotes
from inference.types import ModelInfo, SamplingParams

if TYPE_CHECKING:
    from pathlib import Path

ONE = ModelInfo(id="one", name="One", path="/models/one.gguf", engine="gguf")
TWO = ModelInfo(id="two", name="Two", path="/models/two.gguf", engine="gguf")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / FILE


def test_a_note_survives_a_restart_and_belongs_to_one_model(file: Path) -> None:
    notes = ModelNotes(file)
    assert notes.of(ONE) == ModelNote()
    notes.change(ONE, favourite=True, text="good at rhymes", kind="base")
    again = ModelNotes(file)
    assert again.of(ONE) == ModelNote("base", favourite=True, text="good at rhymes")
    assert again.of(TWO) == ModelNote()


def test_another_process_s_change_is_seen_and_kept(file: Path) -> None:
    window, terminal = ModelNotes(file), ModelNotes(file)
    window.change(ONE, favourite=True)
    terminal.change(ONE, text="from the terminal")
    terminal.change(TWO, favourite=True)
    window.used(ONE, 5.0)
    note = ModelNotes(file).of(ONE)
    assert note == ModelNote(favourite=True, text="from the terminal", last_used=5.0)
    assert window.of(TWO).favourite


def test_what_a_newer_version_wrote_stays(file: Path) -> None:
    file.parent.mkdir()
    entry = {"favourite": True, "colour": "green", "kind": "prophet"}
    file.write_text(json.dumps({"schema_version": 9, "notes": {ONE.path: entry}}))
    notes = ModelNotes(file)
    assert notes.of(ONE) == ModelNote(favourite=True)
    notes.change(ONE, text="mine")
    kept = json.loads(file.read_text())["notes"][os.path.normcase(ONE.path)]
    assert kept["colour"] == "green"
    assert kept["text"] == "mine"


def test_a_damaged_file_is_kept_aside(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{ damaged")
    notes = ModelNotes(file)
    assert notes.of(ONE) == ModelNote()
    notes.change(ONE, favourite=True)
    assert ModelNotes(file).of(ONE).favourite
    assert (file.parent / "model-notes.damaged.json").read_text() == "{ damaged"


def test_a_note_follows_its_files(file: Path) -> None:
    notes = ModelNotes(file)
    notes.change(ONE, text="mine")
    notes.moved(ONE.path, TWO.path)
    assert notes.of(TWO).text == "mine"
    assert notes.of(ONE) == ModelNote()


def test_a_folder_that_cannot_be_written_is_a_sentence_but_use_goes_on(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    notes = ModelNotes(tmp_path / "data" / FILE)
    with pytest.raises(StoreError, match="cannot be changed"):
        notes.change(ONE, favourite=True)
    notes.used(ONE, 1.0)
    assert notes.of(ONE) == ModelNote()


def test_several_threads_lose_nothing(file: Path) -> None:
    notes = ModelNotes(file)
    infos = [ModelInfo(id=str(n), name="", path=f"/m/{n}.gguf", engine="gguf") for n in range(8)]

    def note(info: ModelInfo) -> None:
        notes.change(info, text=info.id)

    threads = [threading.Thread(target=note, args=(info,)) for info in infos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ModelNotes(file).of(info).text for info in infos] == [info.id for info in infos]


def test_a_models_defaults_are_kept_and_a_bad_one_costs_only_itself(file: Path) -> None:
    defaults = ModelDefaults(
        n_ctx=8192,
        kv_cache_type="q8_0",
        sampling=SamplingParams(temperature=0.2),
        system_prompt="Be brief.",
        template=TemplateChoice("chatml"),
    )
    ModelNotes(file).change(ONE, defaults=defaults)
    assert ModelNotes(file).of(ONE).defaults == defaults
    raw = json.loads(file.read_text())
    raw["notes"][os.path.normcase(ONE.path)]["defaults"]["n_ctx"] = -4
    file.write_text(json.dumps(raw))
    assert ModelNotes(file).of(ONE).defaults == msgspec.structs.replace(defaults, n_ctx=None)
