"""A model whose file is taken away or exchanged while in memory: nothing of another is shown."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from desktop.widgets.charts.figure import Figure
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTERS = Path(__file__).parents[4] / "resources" / "starter"
_FROM_THE_FILE = ("layers", "embeddings", "anatomy", "tokens")


@pytest.fixture
def copied(inside: Inside) -> Iterator[Path]:
    """A model that only this test has, in memory; then the usual one again."""
    folder = inside.parts.paths.models
    folder.mkdir(exist_ok=True)
    path = folder / "my-copy.gguf"
    shutil.copy(STARTERS / "starter-instruct-Q8_0.gguf", path)
    engines = inside.parts.engines
    engines.refresh()
    inside.qtbot.waitUntil(lambda: engines.shelf.find("my-copy") is not None, timeout=WAIT_MS)
    load(inside, "my-copy")
    inside.look_at("Once upon a time there was a little")
    yield path
    load(inside, "starter-instruct")
    inside.page.open_view("next_word")
    inside.settle()


def load(inside: Inside, model_id: str) -> None:
    engines = inside.parts.engines

    def is_there() -> bool:
        state = engines.state()
        return state.status == "ready" and state.model is not None and state.model.id == model_id

    engines.load(model_id)
    inside.qtbot.waitUntil(is_there, timeout=WAIT_MS)


def refusal(inside: Inside, view: str) -> str:
    inside.page.open_view(view)
    notice = inside.find(QWidget, "inside_problem")
    inside.qtbot.waitUntil(notice.isVisible, timeout=WAIT_MS)
    inside.settle()
    words: str = inside.find(QLabel, "inside_problem_text").text()
    return words


def test_nothing_is_read_from_a_file_that_another_model_was_put_into(
    inside: Inside, copied: Path
) -> None:
    shutil.copy(STARTERS / "starter-base-Q8_0.gguf", copied.with_suffix(".part"))
    copied.with_suffix(".part").replace(copied)
    for view in _FROM_THE_FILE:
        words = refusal(inside, view)
        assert "my-copy.gguf were changed since it was loaded" in words, view
        assert "Load the model again" in words
    inside.page.open_view("attention")
    inside.settle()
    assert not inside.find(QWidget, "inside_problem").isVisible()
    assert inside.find(Figure, "attention_heads").place_count() > 0  # that is in memory


def test_a_file_that_was_taken_away_is_named_in_every_view_that_reads_it(
    inside: Inside, copied: Path
) -> None:
    copied.unlink()
    for view in _FROM_THE_FILE:
        assert "my-copy.gguf are gone since it was loaded" in refusal(inside, view), view
