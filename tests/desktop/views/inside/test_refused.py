"""What is still shown when there is no answer says so: nobody takes it for one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from desktop.widgets.charts.figure import Figure
from tests.desktop.views.inside.house import WAIT_MS, Inside

SHORT = "Once upon a time there was a little"
LONG = "blue sky " * 900  # more than the context holds


def faded(inside: Inside, name: str) -> bool:
    """Whether a figure says that it is from before, to the eye and to a screen reader."""
    words = inside.find(QLabel, f"{name}_from_before")
    figure: Figure = inside.find(Figure, name)
    spoken = figure.accessibleDescription().startswith("From before")
    assert words.isVisibleTo(inside.page) == spoken
    return spoken


def _ink(figure: Figure) -> int:
    """Return how far the darkest dot of a figure is from white."""
    image = figure.grab().toImage()
    spots = ((x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))
    return 255 - min(image.pixelColor(x, y).lightness() for x, y in spots)


def refused(inside: Inside) -> None:
    notice = inside.find(QWidget, "inside_problem")
    inside.qtbot.waitUntil(notice.isVisible, timeout=WAIT_MS)
    inside.settle()


@pytest.mark.parametrize(
    ("view", "names"),
    [
        ("layers", ("lens_table", "update_bars", "vote_bars", "push_lists")),
        ("attention", ("attention_row", "attention_heads")),
        ("embeddings", ("context_lines",)),
    ],
)
def test_a_figure_without_an_answer_says_that_it_is_from_before(
    inside: Inside, view: str, names: tuple[str, ...]
) -> None:
    inside.look_at(SHORT)
    inside.page.open_view(view)
    inside.settle()
    for name in names:
        assert inside.find(Figure, name).place_count() > 0
        assert not faded(inside, name)
    inside.look_at(LONG)
    inside.controller.choose(100_000)
    refused(inside)
    assert any(faded(inside, name) for name in names)
    inside.look_at(SHORT)
    inside.settle()
    assert not any(faded(inside, name) for name in names)
    inside.page.open_view("next_word")


def test_a_map_that_was_refused_leaves_the_one_before_in_faint_colours(inside: Inside) -> None:
    inside.look_at(SHORT)
    inside.page.open_view("embeddings")
    inside.settle()
    figure: Figure = inside.find(Figure, "embedding_map")
    for name in ("map_words_own", "map_method_tsne"):
        inside.qtbot.mouseClick(inside.find(QWidget, name), Qt.MouseButton.LeftButton)
        inside.settle()
    field: QLineEdit = inside.find(QLineEdit, "map_own_words")
    field.setText("red blue")
    inside.qtbot.keyClick(field, Qt.Key.Key_Return)
    refused(inside)
    assert faded(inside, "embedding_map")
    assert not faded(inside, "neighbours")
    faint = _ink(figure)
    figure.set_faded("")
    assert faint < _ink(figure)
    figure.set_faded("From before")
    for name in ("map_words_near", "map_method_pca"):
        inside.qtbot.mouseClick(inside.find(QWidget, name), Qt.MouseButton.LeftButton)
        inside.settle()
    assert not faded(inside, "embedding_map")
    inside.page.open_view("next_word")


def test_change_shows_no_runs_where_they_were_refused(inside: Inside) -> None:
    inside.look_at(SHORT)
    inside.page.open_view("change")
    before: Figure = inside.find(Figure, "change_before")
    inside.qtbot.waitUntil(lambda: before.place_count() == 8, timeout=WAIT_MS)
    inside.settle()
    assert before.isVisible()
    inside.look_at(LONG)
    inside.controller.choose(100_000)
    refused(inside)
    assert not before.isVisible()
    assert inside.find(QLabel, "change_step").text() == ""
    inside.look_at(SHORT)
    inside.qtbot.waitUntil(before.isVisible, timeout=WAIT_MS)
    inside.settle()
    inside.page.open_view("next_word")
