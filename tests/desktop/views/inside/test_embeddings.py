"""The Embeddings view in the real window, with the starter model in its engine process."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from desktop.widgets.charts.layer_lines import LayerLines
from desktop.widgets.charts.point_map import PointMap
from desktop.widgets.charts.share_bars import ShareBars
from tests.desktop.views.inside.house import WAIT_MS, Inside


class Embeddings:
    """The open view and what is in it."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        inside.look_at("The sky is blue")
        inside.page.open_view("embeddings")
        inside.settle()
        self.near: ShareBars = inside.find(ShareBars, "neighbours")
        self.map: PointMap = inside.find(PointMap, "embedding_map")
        self.lines: LayerLines = inside.find(LayerLines, "context_lines")
        self.wait(lambda: self.near.place_count() == 12 and self.lines.place_count() == 5)

    def wait(self, ready: object) -> None:
        self.inside.qtbot.waitUntil(ready, timeout=WAIT_MS)

    def write(self, field: str, text: str) -> None:
        edit = self.inside.find(QLineEdit, field)
        edit.setText(text)
        self.inside.qtbot.keyClick(edit, Qt.Key.Key_Return)

    def press(self, name: str) -> None:
        self.inside.qtbot.mouseClick(self.inside.find(QWidget, name), Qt.MouseButton.LeftButton)

    def told(self, name: str) -> str:
        text: str = self.inside.find(QLabel, name).text()
        return text


@pytest.fixture
def view(inside: Inside) -> Embeddings:
    return Embeddings(inside)


def test_neighbours_of_the_chosen_token_come_without_it(view: Embeddings) -> None:
    assert view.told("embedding_told") == "Now: “·blue” of the text."
    assert " blue" not in [row[0] for row in view.near.table()[1:]]
    assert view.inside.find(QLabel, "embedding_left_out").isHidden()
    view.wait(lambda: view.map.place_count() == 13)
    assert [point[0] for point in view.map.table()[1:2]] == [" blue"]


def test_a_sum_of_words_leaves_them_out_and_tells_their_own_scores(view: Embeddings) -> None:
    first = view.near.table()[1]
    view.write("embedding_words", "red - blue + green")
    view.wait(lambda: view.near.table()[1] != first)
    told = view.told("embedding_told")
    assert "+ ·red" in told
    assert "- ·blue" in told
    words = {row[0].strip() for row in view.near.table()[1:]}
    assert not words & {"red", "blue", "green"}
    left_out = view.told("embedding_left_out")
    assert left_out.startswith("Left out")
    assert "·red 0." in left_out
    assert "·blue -0." in left_out
    assert view.near.accessibleDescription()


def test_a_word_that_the_model_cuts_up_is_said_to_be_a_mean(view: Embeddings) -> None:
    view.write("embedding_words", "palindrome")
    view.wait(lambda: "mean of its pieces" in view.told("embedding_told"))
    assert "|" in view.told("embedding_told")


def test_words_without_one_that_is_added_are_not_asked_for(view: Embeddings) -> None:
    view.write("embedding_words", "- king")
    assert view.told("embedding_told") == "Write at least one word that is added."


def test_maps_of_own_and_of_frequent_words_say_what_they_lose(view: Embeddings) -> None:
    view.press("map_words_own")
    assert not view.inside.find(QLineEdit, "map_own_words").isHidden()
    view.write("map_own_words", "red, green, blue, one, two, palindrome")
    view.wait(lambda: view.map.place_count() == 6)
    assert "palindrome" in view.map.table()[6][0]
    assert "mean of its pieces" in view.told("map_told")
    by_pca = view.map.sentence()
    assert "widest directions hold" in by_pca
    assert "by chance" in by_pca
    assert "trustworthiness" in by_pca
    view.press("map_words_frequent")
    view.wait(lambda: view.map.place_count() == 200)
    assert "built by frequency" in view.told("map_told")
    view.press("map_method_tsne")
    view.wait(lambda: "t-SNE keeps groups" in view.map.sentence())
    assert view.map.place_count() == 200
    assert "trustworthiness" in view.map.sentence()
    assert view.told("map_told") != "The map is being made."
    view.press("map_words_near")
    view.press("map_method_pca")
    view.wait(lambda: view.map.place_count() < 30)


def test_two_contexts_of_a_token_are_compared_layer_by_layer(view: Embeddings) -> None:
    heads = view.lines.table()[0]
    assert heads == ("layer", "here, with its start")
    assert float(view.lines.table()[1][1]) == pytest.approx(1, abs=1e-4)
    view.write("context_other", "Rosa has a blue ball")
    view.wait(lambda: len(view.lines.table()[0]) == 5)
    heads, *rows = view.lines.table()
    assert heads[3] == "here with there"
    assert float(rows[0][3]) == pytest.approx(1, abs=1e-4)  # the same row of the table
    assert float(rows[-1][3]) < 0.95
    assert "two contexts" in view.lines.accessibleDescription()
    assert "There: Rosa has a [blue]" in view.told("context_told")
    view.lines.set_mark(4)
    assert view.lines.accessibleDescription().startswith("After layer 4: here, with its start ")


def test_a_second_text_without_the_token_is_said(view: Embeddings) -> None:
    view.write("context_other", "Rosa has a ball")
    view.wait(lambda: "does not stand in that text" in view.told("context_told"))
    view.wait(lambda: len(view.lines.table()[0]) == 2)
    view.write("context_other", "")
    view.wait(lambda: "does not stand" not in view.told("context_told"))


def test_a_map_of_three_words_is_not_said_to_lose_what_it_cannot_lose(view: Embeddings) -> None:
    view.press("map_words_own")
    view.write("map_own_words", "red blue one")
    view.wait(lambda: view.map.place_count() == 3)
    told = view.map.sentence()
    assert "always lie in one plane" in told
    assert "far apart in the others" not in told
    assert "neighbour is nearest here too for" in told
    view.write("map_own_words", "red blue one two")
    view.wait(lambda: "far apart in the others" in view.map.sentence())
    view.press("map_words_near")


def test_a_map_of_too_few_words_is_refused_in_words(view: Embeddings) -> None:
    view.press("map_words_own")
    view.press("map_method_tsne")
    view.write("map_own_words", "red blue")
    notice = view.inside.find(QWidget, "inside_problem")
    view.wait(notice.isVisible)
    assert "at least 5 words" in view.told("inside_problem_text")
    assert view.told("map_told") == ""
    view.press("map_words_near")
    view.press("map_method_pca")
    view.wait(lambda: view.map.place_count() == 13)
