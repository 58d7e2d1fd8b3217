"""The Evaluation view in the real window: a text word by word, and real models side by side."""

from __future__ import annotations

import csv
import math
import shutil
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget

from desktop.controllers.comparison import Comparison
from desktop.controllers.text_reader import TextReader
from desktop.evaluation import Wish
from desktop.views.inside.evaluation import EvaluationView
from desktop.widgets.focus_ring import FocusRing, focus_by_keyboard
from inference.inside.perplexity import Score
from inference.library.describe import describe
from tests.desktop.views.inside.house import WAIT_MS

if TYPE_CHECKING:
    from pathlib import Path

    from desktop.evaluation import ReadText
    from tests.desktop.views.inside.house import Inside

TEXT = "Once upon a time there was a little cat. She liked to sit in the sun, and to sleep. " * 20


class Evaluation:
    """The open view with its two controllers."""

    def __init__(self, inside: Inside) -> None:
        self.inside, self.qtbot = inside, inside.qtbot
        view = inside.page.open_view("evaluation")
        assert isinstance(view, EvaluationView)
        self.view = view
        self.reader: TextReader = inside.find(TextReader, "")
        self.comparison: Comparison = inside.find(Comparison, "")
        self.read: list[ReadText] = []
        self.reader.read.connect(self.read.append)

    def until(self, true: object) -> None:
        self.qtbot.waitUntil(true, timeout=4 * WAIT_MS)

    def choose(self, name: str, value: object) -> None:
        combo = self.inside.find(QComboBox, name)
        combo.setCurrentIndex(combo.findData(value))
        combo.activated.emit(combo.currentIndex())

    def press(self, name: str) -> None:
        button = self.inside.find(QAbstractButton, name)
        assert button.isEnabled(), button.toolTip()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def words(self, name: str) -> str:
        text: str = self.inside.find(QLabel, name).text()
        return text

    def measure_text(self) -> ReadText:
        count = len(self.read)
        self.press("evaluation_read")
        self.until(lambda: len(self.read) > count)
        return self.read[-1]

    def tick(self, *ids: str) -> None:
        models = self.view.side.models
        for info in models.ticked():
            models.tick(info, on=False)
        for model_id in ids:
            row = models.row_of(model_id)
            assert row >= 0, model_id
            checked = Qt.CheckState.Checked
            assert models.setData(models.index(row), checked, Qt.ItemDataRole.CheckStateRole)


@pytest.fixture
def evaluation(inside: Inside) -> Evaluation:
    found = Evaluation(inside)
    found.choose("evaluation_method", "overlap")
    found.choose("evaluation_window", 0)
    found.view.set_text(TEXT, "a story")
    found.view.open_part("reading")
    return found


def test_a_text_is_shown_word_by_word_with_what_it_amounts_to(evaluation: Evaluation) -> None:
    found = evaluation.measure_text()
    assert found.is_whole
    assert found.n_bytes == len(TEXT.encode())
    assert [word.text.strip() for word in found.words] == TEXT.split()
    told = [word.bits for word in found.words if word.bits is not None]
    assert math.fsum(told) == pytest.approx(found.score.nats / math.log(2))
    reading = evaluation.view.reading
    assert f"{found.score.perplexity:,.0f}" in evaluation.words("evaluation_perplexity")
    assert "bits per byte" in evaluation.words("evaluation_means")
    assert reading.heat.place_count() == min(400, len(found.words))
    assert reading.strip.place_count() == reading.heat.place_count()
    first = reading.hardest.table()[1]
    hardest = max(told)
    assert float(first[1]) == pytest.approx(hardest, rel=1e-6)
    reading.hardest.place_chosen.emit(0)
    assert f"{hardest:.1f} bits" in reading.heat.accessibleDescription()


def test_the_keyboard_stays_where_it_measured_and_stopped(evaluation: Evaluation) -> None:
    run = evaluation.inside.find(QAbstractButton, "evaluation_read")
    ring = evaluation.inside.find(FocusRing, "focus_ring")
    evaluation.inside.window.activateWindow()
    evaluation.until(lambda: evaluation.inside.window.isActiveWindow() and run.isVisible())
    focus_by_keyboard(run, Qt.FocusReason.TabFocusReason)
    assert QApplication.focusWidget() is run
    assert ring.widget() is run
    count = len(evaluation.read)
    evaluation.qtbot.keyClick(run, Qt.Key.Key_Space)
    assert QApplication.focusWidget() is evaluation.inside.find(
        QAbstractButton, "evaluation_read_stop"
    )
    evaluation.until(lambda: len(evaluation.read) > count)
    assert QApplication.focusWidget() is run
    assert ring.widget() is run


def test_a_second_reading_says_how_far_it_is_too(evaluation: Evaluation) -> None:
    evaluation.measure_text()
    said: list[bool] = []
    told = evaluation.inside.find(QLabel, "evaluation_read_told")
    evaluation.reader.progressed.connect(lambda *_counts: said.append(told.isVisible()))
    evaluation.measure_text()
    assert said
    assert all(said)


def test_figures_of_a_text_that_was_changed_since_are_called_so(evaluation: Evaluation) -> None:
    evaluation.measure_text()
    earlier = evaluation.inside.find(QLabel, "evaluation_earlier")
    assert not earlier.isVisible()
    evaluation.view.set_text(f"{TEXT} And more.", "another story")
    assert earlier.isVisible()
    evaluation.view.set_text(TEXT, "a story")
    assert not earlier.isVisible()


def test_windows_are_chosen_stated_and_paged_through(evaluation: Evaluation) -> None:
    evaluation.view.set_text(TEXT * 2, "a long story")
    evaluation.choose("evaluation_window", 128)
    found = evaluation.measure_text()
    assert found.window == 128
    assert found.n_windows > 5
    words = evaluation.words("evaluation_how")
    assert "windows of 128, each beginning about 64 further" in words
    heat = evaluation.view.reading.heat
    assert evaluation.words("evaluation_page").startswith("Words 1 to 400")
    evaluation.press("evaluation_after")
    assert evaluation.words("evaluation_page").startswith("Words 401 to")
    assert heat.table()[1][1].strip() == (TEXT * 2).split()[400]
    evaluation.choose("evaluation_method", "llama.cpp")
    other = evaluation.measure_text()
    assert other.score.scored < found.score.scored
    assert "as llama.cpp does" in evaluation.words("evaluation_how")


def test_a_stop_keeps_what_was_read_and_the_model_goes_on(evaluation: Evaluation) -> None:
    evaluation.view.set_text(TEXT * 6, "a very long story")
    evaluation.choose("evaluation_window", 128)
    count = len(evaluation.read)
    seen: list[int] = []

    def stop(done: int, _windows: int, _tokens: int) -> None:
        seen.append(done)
        if done == 2:
            evaluation.press("evaluation_read_stop")

    evaluation.reader.progressed.connect(stop)
    evaluation.press("evaluation_read")
    evaluation.until(lambda: len(evaluation.read) > count)
    evaluation.reader.progressed.disconnect(stop)
    found = evaluation.read[-1]
    assert not found.is_whole
    assert 2 <= found.score.n_windows < found.n_windows
    assert found.score.perplexity > 1
    assert isinstance(found.score, Score)
    assert not evaluation.reader.busy
    evaluation.view.set_engine(evaluation.inside.parts.engines.state())  # as its memory grows
    assert "Stopped after" in evaluation.words("evaluation_read_told")
    evaluation.view.set_text(TEXT, "a story")
    assert evaluation.measure_text().is_whole


def test_an_answer_in_the_chat_comes_first_and_the_reading_goes_on(evaluation: Evaluation) -> None:
    evaluation.view.set_text(TEXT * 4, "a long story")
    evaluation.choose("evaluation_window", 128)
    whole = evaluation.measure_text()
    chats, count = evaluation.inside.parts.chats, len(evaluation.read)
    evaluation.press("evaluation_read")
    chats.new_chat()
    assert chats.send("What is a token?")
    evaluation.until(lambda: chats.current().messages[-1].state == "complete")
    evaluation.until(lambda: len(evaluation.read) > count)
    assert evaluation.read[-1].score.logprobs == pytest.approx(whole.score.logprobs, abs=0.05)
    evaluation.press("evaluation_answer")
    assert evaluation.view.text.text() == chats.current().messages[-1].text.strip()


def test_a_reading_ends_in_words_when_its_model_goes(evaluation: Evaluation) -> None:
    evaluation.view.set_text(TEXT * 6, "a very long story")
    evaluation.choose("evaluation_window", 128)
    engines, count = evaluation.inside.parts.engines, len(evaluation.read)
    unload = evaluation.reader.progressed.connect(
        lambda done, _windows, _tokens: engines.unload() if done == 2 else None
    )
    evaluation.press("evaluation_read")
    notice = evaluation.inside.find(QWidget, "evaluation_problem")
    evaluation.until(notice.isVisible)
    evaluation.reader.progressed.disconnect(unload)
    assert not evaluation.reader.busy
    assert len(evaluation.read) == count
    engines.load_default()
    evaluation.until(lambda: engines.state().status == "ready")
    evaluation.view.set_text(TEXT, "a story")
    assert evaluation.measure_text().is_whole


def test_models_are_measured_one_after_the_other_and_one_is_named(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    evaluation.view.open_part("comparing")
    evaluation.choose("evaluation_window", 128)
    evaluation.tick("starter-instruct", "starter-instruct-f16", "starter-base-native")
    before = evaluation.inside.parts.engines.state()
    states: list[tuple[str, ...]] = []
    evaluation.comparison.changed.connect(
        lambda: states.append(tuple(row.state for row in evaluation.comparison.rows))
    )
    evaluation.press("evaluation_run")
    evaluation.until(lambda: not evaluation.comparison.busy)
    assert ("done", "running", "waiting") in states
    rows = evaluation.comparison.rows
    assert [row.state for row in rows] == ["done"] * 3
    after = evaluation.inside.parts.engines.state()
    assert (after.status, after.model, after.loaded) == ("ready", before.model, before.loaded)
    table = evaluation.view.comparing.table
    small = rows[0].result
    assert small is not None
    assert f"{small.bits_per_byte:.3f}" in table.place_words(0)
    beside = table.beside[rows[0].info.id]
    assert beside.reference == rows[1].result
    advice = evaluation.words("evaluation_advice")
    assert "of the memory of" in advice or "of its memory" in advice
    assert "bits per byte" in advice
    evaluation.choose("evaluation_sort", "bits")
    values = [row.result.bits_per_byte for row in table.rows if row.result is not None]
    assert values == sorted(values)
    path = tmp_path / "models.csv"
    table.save(path)
    with path.open(encoding="utf-8", newline="") as opened:
        saved = list(csv.DictReader(opened))
    assert [row["model"] for row in saved] == [row.info.id for row in table.rows]
    assert float(saved[0]["bits per byte"]) == pytest.approx(values[0], rel=1e-6)
    assert all(len(row["model sha256"]) == 64 for row in saved)


def test_what_was_measured_is_there_again_with_its_text(evaluation: Evaluation) -> None:
    evaluation.view.open_part("comparing")
    evaluation.choose("evaluation_window", 128)
    evaluation.tick("starter-base")
    evaluation.press("evaluation_run")
    evaluation.until(lambda: not evaluation.comparison.busy)
    (row,) = evaluation.comparison.rows
    assert row.result is not None
    evaluation.view.set_text("Another text.", "")
    evaluation.until(lambda: not evaluation.comparison.rows)
    evaluation.view.set_text(TEXT, "a story")
    evaluation.until(lambda: any(one.result == row.result for one in evaluation.comparison.rows))
    assert evaluation.inside.find(QWidget, "evaluation_again").isVisible()


def test_figures_of_a_file_that_was_replaced_are_not_shown(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    file, wish = tmp_path / "model.gguf", Wish(TEXT[:400], "overlap", 128)
    rows = evaluation.inside.parts.engines.models().rows
    infos = {row.info.id: row.info for row in rows}
    shutil.copyfile(infos["starter-base"].path, file)
    comparison = evaluation.comparison
    comparison.run(wish, [describe(file)])
    evaluation.until(lambda: not comparison.busy)
    assert comparison.rows[0].result is not None
    comparison.recall(Wish("Another text.", "overlap", 128), [describe(file)])
    evaluation.until(lambda: not comparison.rows)
    comparison.recall(wish, [describe(file)])
    evaluation.until(lambda: len(comparison.rows) == 1)
    shutil.copyfile(infos["starter-instruct"].path, file)
    comparison.recall(wish, [describe(file)])
    evaluation.until(lambda: not comparison.rows)


def test_trouble_of_one_model_is_a_sentence_and_a_stop_keeps_the_rest(
    evaluation: Evaluation,
) -> None:
    evaluation.view.open_part("comparing")
    evaluation.choose("evaluation_window", 2048)
    evaluation.tick("starter-base")
    evaluation.press("evaluation_run")
    evaluation.until(lambda: not evaluation.comparison.busy)
    (row,) = evaluation.comparison.rows
    assert row.state == "trouble"
    table = evaluation.view.comparing.table
    assert "trained for texts of 1,024 tokens" in table.place_words(0)
    evaluation.choose("evaluation_window", 256)
    evaluation.tick("starter-base", "starter-base-native", "starter-base-f16")

    def stop() -> None:
        states = [one.state for one in evaluation.comparison.rows]
        if states[:2] == ["done", "running"] and evaluation.comparison.busy:
            evaluation.press("evaluation_stop")

    evaluation.comparison.changed.connect(stop)
    evaluation.press("evaluation_run")
    evaluation.until(lambda: not evaluation.comparison.busy)
    evaluation.comparison.changed.disconnect(stop)
    assert [one.state for one in evaluation.comparison.rows] == ["done", "stopped", "stopped"]
    assert "Stopped" in evaluation.words("evaluation_told")


def test_files_are_opened_and_what_is_no_text_is_said(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    path = tmp_path / "story.txt"
    path.write_text("A short story.\n" * 3_000, encoding="utf-8")
    evaluation.view.file_chosen.emit(str(path))
    evaluation.until(lambda: evaluation.view.text.text().startswith("A short story."))
    facts = evaluation.words("evaluation_text_facts")
    assert "story.txt" in facts
    assert "only the beginning is shown" in facts
    assert len(evaluation.view.text.field.toPlainText()) < 3_000
    path.write_bytes(b"GGUF\0\0\0\0")
    evaluation.view.file_chosen.emit(str(path))
    notice = evaluation.inside.find(QWidget, "evaluation_problem")
    evaluation.until(notice.isVisible)
    assert "is not a text" in notice.accessibleDescription()


def test_nothing_is_offered_without_text_models_or_a_model_in_memory(
    evaluation: Evaluation,
) -> None:
    evaluation.view.set_text("", "")
    evaluation.tick()
    run = evaluation.inside.find(QAbstractButton, "evaluation_run")
    assert run.toolTip() == "There is no text yet."
    evaluation.view.set_text(TEXT, "")
    assert run.toolTip() == "No model is ticked."
    evaluation.tick("starter-base")
    assert run.isEnabled()
    engines = evaluation.inside.parts.engines
    engines.unload()
    read = evaluation.inside.find(QAbstractButton, "evaluation_read")
    assert "No model is in memory" in read.toolTip()
    assert evaluation.view.isVisible()  # the table needs none
    engines.load_default()
    evaluation.until(lambda: engines.state().status == "ready")
    assert read.isEnabled()


def test_a_word_of_a_chat_leads_from_here_to_its_own_view(
    evaluation: Evaluation, inside: Inside
) -> None:
    chats = inside.parts.chats
    chats.new_chat()
    chats.send("What is a token?")
    evaluation.until(lambda: bool(chats.current().messages))
    evaluation.until(lambda: chats.current().messages[-1].state == "complete")
    inside.parts.column.inside_requested.emit(chats.current().messages[-1].id, "", 0)
    inside.settle()
    assert inside.page.current_view() == "next_word"
