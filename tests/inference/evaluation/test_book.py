"""Results are kept, found again for the same files and text only, and never in the way."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
import pytest

from inference.cancel import CancelToken
from inference.errors import InferenceError
from inference.evaluation import book as room
from inference.evaluation.book import ResultBook
from inference.evaluation.identity import text_hash
from inference.evaluation.stopping import StoppedError
from tests.inference.evaluation.house import result

if TYPE_CHECKING:
    from pathlib import Path


def test_a_result_is_there_after_a_restart_and_for_its_own_key_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "evaluations.json"
    one, two = result("One", "F16"), result("Two", "F16")
    book = ResultBook(path)
    for kept in (one, two):
        book.keep(kept)
    again = ResultBook(path)
    assert again.of_text("t") == (two, one)
    assert again.find(one.key) == one
    assert again.find(msgspec.structs.replace(one.key, window=256)) is None
    assert again.find(msgspec.structs.replace(one.key, versions="glasshouse 0.2.0")) is None
    newer = msgspec.structs.replace(one, nats=1.0)
    again.keep(newer)
    assert again.of_text("t") == (newer, two)
    assert book.find(one.key) == newer  # another process's changes are seen


def test_the_oldest_results_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST", 3)
    book = ResultBook(tmp_path / "evaluations.json")
    for name in "abcd":
        book.keep(result(name, "F16"))
    assert [one.info.name for one in book.of_text("t")] == ["d", "c", "b"]


def test_a_damaged_file_costs_the_results_only(tmp_path: Path) -> None:
    path = tmp_path / "evaluations.json"
    path.write_bytes(b'{"results": [{"nats": "many"}]}')
    book = ResultBook(path)
    assert book.of_text("t") == ()
    book.keep(result("One", "F16"))
    assert len(ResultBook(path).of_text("t")) == 1


def test_files_are_hashed_once_and_again_when_they_change(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF one")
    book = ResultBook(tmp_path / "evaluations.json")
    told: list[float] = []
    first = book.hash_of(model, CancelToken(), told.append)
    assert first == hashlib.sha256(b"GGUF one").hexdigest()
    assert told == [1.0]
    assert ResultBook(tmp_path / "evaluations.json").hash_of(model, CancelToken(), told.append)
    assert told == [1.0]
    assert book.known_hash(model) == first
    model.write_bytes(b"GGUF another")
    assert book.known_hash(model) == ""
    assert book.hash_of(model, CancelToken(), told.append) != first
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    whole = book.hash_of(folder, CancelToken(), told.append)
    (folder / "config.json").write_text('{"a": 1}')
    assert book.hash_of(folder, CancelToken(), told.append) != whole


def test_hashes_of_files_that_are_gone_go_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "evaluations.json"
    models = [tmp_path / f"{name}.gguf" for name in ("gone", "there", "new")]
    for model in models:
        model.write_bytes(b"GGUF")
    book = ResultBook(path)
    for model in models[:2]:
        book.hash_of(model, CancelToken(), lambda _: None)
    models[0].unlink()
    book.hash_of(models[2], CancelToken(), lambda _: None)
    assert set(msgspec.json.decode(path.read_bytes())["hashes"]) == set(map(str, models[1:]))
    assert ResultBook(path).known_hash(models[1])


def test_hashing_can_be_stopped_and_what_is_away_is_a_sentence(tmp_path: Path) -> None:
    book = ResultBook(tmp_path / "evaluations.json")
    model = tmp_path / "model.gguf"
    with pytest.raises(InferenceError, match=r"model\.gguf could not be read"):
        book.hash_of(model, CancelToken(), lambda _: None)
    model.write_bytes(b"GGUF")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(StoppedError):
        book.hash_of(model, cancel, lambda _: None)


def test_a_text_is_known_by_every_byte_of_it() -> None:
    assert text_hash("a") == hashlib.sha256(b"a").hexdigest()
    assert text_hash("\ud800") != text_hash("a")
