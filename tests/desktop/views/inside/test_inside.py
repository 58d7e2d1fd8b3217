"""The Inside page in the real window, with the starter model in its engine process."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from desktop.widgets.charts.block_stack import BlockStack
from desktop.widgets.charts.lens_grid import LensGrid
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.charts.tensor_table import TensorTable
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.charts.update_bars import UpdateBars
from desktop.widgets.token_strip import TokenStrip
from desktop.widgets.transcript.body import MARGIN
from desktop.widgets.value_row import ValueRow
from inference.inside.questions import AskAttentionOverview, AskNext, AskSurprise
from inference.tokenizing.orders import BuildTokens, TellLanguages
from tests.desktop.views.inside.house import WAIT_MS, Inside


def test_a_text_of_one_s_own_shows_what_may_come_next(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    rows = inside.bars.chances().rows
    assert len(rows) == 14
    assert [row.own for row in rows] == sorted((row.own for row in rows), reverse=True)
    assert 0.5 < sum(row.own for row in rows) <= 1
    drawn = sum(row.drawn for row in rows)
    assert drawn == pytest.approx(1, abs=0.02)
    assert not any(row.is_chosen for row in rows)  # nothing stands there yet
    assert "Likeliest" in inside.bars.accessibleDescription()
    assert inside.bars.csv_text().startswith("id,token,model,after settings\n")


def test_stepping_back_shows_the_word_that_stands_there(inside: Inside) -> None:
    inside.look_at("The sky is blue because")
    strip: TokenStrip = inside.find(TokenStrip, "inside_tokens_strip")
    strip.setFocus()
    inside.qtbot.keyClick(strip, Qt.Key.Key_Left)
    inside.settle()
    inside.qtbot.waitUntil(lambda: any(row.is_chosen for row in inside.bars.chances().rows))
    subject = inside.controller.subject()
    assert subject is not None
    chosen = next(row for row in inside.bars.chances().rows if row.is_chosen)
    assert chosen.token.id == subject.tokens[subject.chosen].id
    assert subject.chosen == len(subject.tokens) - 1
    surprise: SurpriseStrip = inside.find(SurpriseStrip, "next_word_strip")
    assert surprise.place_count() == len(subject.tokens)
    assert "bits" in surprise.accessibleDescription()


def test_with_ctrl_the_arrow_keys_go_from_word_to_word(inside: Inside) -> None:
    inside.look_at("Extraordinarily blue rainbows because")
    strip: TokenStrip = inside.find(TokenStrip, "inside_tokens_strip")
    strip.setFocus()
    ctrl = Qt.KeyboardModifier.ControlModifier
    before = []
    for _ in range(3):
        inside.qtbot.keyClick(strip, Qt.Key.Key_Left, ctrl)
        subject = inside.controller.subject()
        assert subject is not None
        before.append("".join(piece.text for piece in subject.tokens[: subject.chosen]))
    whole = "".join(piece.text for piece in subject.tokens)
    ends = ("Extraordinarily blue rainbows", "Extraordinarily blue", "Extraordinarily")
    assert tuple(text.removeprefix(whole[: whole.index("Extra")]) for text in before) == ends
    inside.qtbot.keyClick(strip, Qt.Key.Key_Right, ctrl)
    again = inside.controller.subject()
    assert again is not None
    assert "".join(piece.text for piece in again.tokens[: again.chosen]) == before[1]
    inside.qtbot.keyClick(strip, Qt.Key.Key_End)


def test_sliders_reshape_the_chances_without_asking_the_model(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    before = inside.bars.chances().rows
    asked: list[object] = []
    inside.page.asked.connect(asked.append)
    row: ValueRow = inside.find(ValueRow, "live_top_k")
    box = row.findChild(QWidget, "live_top_k_box")
    assert box is not None
    box.setValue(2)  # type: ignore[attr-defined]  a ValueBox
    after = inside.bars.chances().rows
    assert [row.own for row in after] == [row.own for row in before]
    assert [row.drawn > 0 for row in after[:4]] == [True, True, False, False]
    assert inside.bars.chances().cut_at == 2
    assert "top-k 2" in inside.bars.chances().cut_words
    assert inside.find(QLabel, "stage_top_k").text() == "2"
    inside.qtbot.mouseClick(inside.find(QWidget, "next_word_draw"), Qt.MouseButton.LeftButton)
    assert next(row for row in inside.bars.chances().rows if row.is_chosen).drawn > 0
    assert asked == []
    inside.qtbot.mouseClick(inside.find(QWidget, "next_word_reset"), Qt.MouseButton.LeftButton)
    assert inside.bars.chances().rows[2].drawn > 0


def test_tokens_show_ids_and_bytes_and_lead_to_their_place(inside: Inside) -> None:
    inside.look_at("Tea, please")
    inside.page.open_view("tokens")
    text: TokenText = inside.find(TokenText, "token_text")
    subject = inside.controller.subject()
    assert subject is not None
    assert text.place_count() == len(subject.tokens)
    heads, *rows = text.table()
    assert heads == ("position", "id", "token", "bytes", "special")
    assert [int(row[1]) for row in rows] == list(subject.ids)
    text.set_mark(2)
    inside.qtbot.keyClick(text, Qt.Key.Key_Return)
    now = inside.controller.subject()
    assert now is not None
    assert now.chosen == 2
    inside.page.open_view("next_word")


def test_an_answer_is_looked_at_with_its_prompt_and_can_go_on_from_another_word(
    inside: Inside,
) -> None:
    chats, qtbot = inside.parts.chats, inside.qtbot
    chats.new_chat()
    chats.send("What is a token?")
    qtbot.waitUntil(lambda: bool(chats.current().messages), timeout=WAIT_MS)

    def ended() -> bool:
        return chats.current().messages[-1].state == "complete"

    qtbot.waitUntil(ended, timeout=WAIT_MS)
    answer = chats.current().messages[-1]
    word = answer.text.split()[3]
    inside.parts.column.inside_requested.emit(answer.id, word, 0)
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.tokens[subject.answer_start - 1].text == "\n"  # the template's last token
    told = "".join(piece.text for piece in subject.tokens[subject.answer_start :])
    assert told == answer.text
    assert word in "".join(piece.text for piece in subject.tokens[subject.chosen :])
    assert subject.source.title == chats.current().title
    qtbot.waitUntil(lambda: bool(inside.bars.chances().rows), timeout=WAIT_MS)
    chosen = subject.chosen
    inside.controller.choose(subject.answer_start - 1)
    inside.settle()
    assert not inside.find(QWidget, "next_word_continue").isVisible()  # the question stays
    inside.controller.choose(chosen)
    inside.settle()
    inside.bars.place_chosen.emit(1)  # not the likeliest
    other = inside.bars.chances().rows[1].token.text
    qtbot.mouseClick(inside.find(QWidget, "next_word_continue"), Qt.MouseButton.LeftButton)
    assert inside.window.current_page() == "chat"
    qtbot.waitUntil(ended, timeout=WAIT_MS)
    written = chats.current().messages[-1]
    assert (written.version, written.versions) == (2, 2)
    begun = "".join(piece.text for piece in subject.tokens[subject.answer_start : subject.chosen])
    assert written.text.startswith(begun + other)


def test_ctrl_i_leads_to_the_word_that_was_clicked_in_an_answer_or_a_question(
    inside: Inside,
) -> None:
    chats, qtbot, window = inside.parts.chats, inside.qtbot, inside.window
    window.open_page("chat")
    chats.new_chat()
    chats.send("What is a token?")
    qtbot.waitUntil(lambda: len(chats.current().messages) > 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: chats.current().messages[-1].state == "complete", timeout=WAIT_MS)
    transcript = inside.parts.column.transcript
    for message in chats.current().messages:
        window.open_page("chat")
        widget = transcript.widget_of(message.id)
        assert widget is not None
        body, words = widget.body, message.text.split()[:2]
        before = QFontMetricsF(window.theme.font("reading")).horizontalAdvance(words[0] + " ")
        left = round(MARGIN + body.flow.left + before) + 4
        qtbot.mouseClick(body, Qt.MouseButton.LeftButton, pos=QPoint(left, 12))
        assert not body.has_selection()
        qtbot.keyClick(body, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        inside.settle()
        subject = inside.controller.subject()
        assert subject is not None
        read = "".join(piece.text for piece in subject.tokens[: subject.chosen])
        assert read.split()[-1].endswith(words[0])
        rest = "".join(piece.text for piece in subject.tokens[subject.chosen :])
        assert rest.split()[0] == words[1]
        assert window.current_page() == "inside"


def test_without_a_model_the_page_says_so_and_reads_the_text_when_one_comes(
    inside: Inside,
) -> None:
    inside.look_at("Once upon a time")
    inside.parts.engines.unload()
    inside.qtbot.waitUntil(lambda: inside.controller.subject() is None, timeout=WAIT_MS)
    words = inside.find(QLabel, "inside_nothing").text()
    assert "No model is in memory" in words
    inside.parts.engines.load_default()
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.source.title == "Once upon a time"


def test_a_text_longer_than_the_context_is_refused_in_words(inside: Inside) -> None:
    inside.look_at("blue sky " * 900)
    notice = inside.find(QWidget, "inside_problem")
    inside.qtbot.waitUntil(notice.isVisible, timeout=WAIT_MS)
    inside.look_at("Once upon a time")
    inside.qtbot.waitUntil(lambda: not notice.isVisible(), timeout=WAIT_MS)


def test_layers_show_what_each_would_say_and_how_far_it_moves_the_stream(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    inside.page.open_view("layers")
    inside.settle()
    lens: LensTable = inside.find(LensTable, "lens_table")
    updates: UpdateBars = inside.find(UpdateBars, "update_bars")
    inside.qtbot.waitUntil(lambda: updates.place_count() == 4, timeout=WAIT_MS)
    assert lens.place_count() == 4 * 5
    first = lens.table()[1]
    inside.page.open_view("next_word")
    inside.settle()
    likeliest = inside.bars.chances().rows[0]
    assert (first[0], first[1], int(first[2])) == ("4", "1", likeliest.token.id)
    assert float(first[4]) == pytest.approx(likeliest.own, abs=0.02)
    assert "leads from" in lens.sentence()
    assert all(float(cell) > 0 for row in updates.table()[1:] for cell in row[1:])


def test_the_lens_along_the_text_frames_what_follows_and_leads_there(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little girl")
    inside.page.open_view("layers")
    inside.settle()
    inside.qtbot.mouseClick(inside.find(QWidget, "lens_mode_along"), Qt.MouseButton.LeftButton)
    grid: LensGrid = inside.find(LensGrid, "lens_grid")
    inside.qtbot.waitUntil(lambda: grid.place_count() == 4 * 8, timeout=WAIT_MS)
    assert not inside.find(LensTable, "lens_table").isVisible()
    subject = inside.controller.subject()
    assert subject is not None
    total = len(subject.tokens)
    heads = [row[1] for row in grid.table()[1:9]]
    assert heads == [piece.text for piece in subject.tokens[-8:]]
    assert "of the 7 tokens that follow" in grid.sentence()
    grid.setFocus()
    inside.qtbot.keyClick(grid, Qt.Key.Key_Home)
    assert "layer 4 would say" in grid.accessibleDescription()
    inside.qtbot.keyClick(grid, Qt.Key.Key_Return)
    now = inside.controller.subject()
    assert now is not None
    assert now.chosen == total - 8 + 1
    inside.qtbot.mouseClick(inside.find(QWidget, "lens_mode_here"), Qt.MouseButton.LeftButton)
    inside.settle()


def test_anatomy_counts_every_weight_and_shows_the_code_of_each_part(inside: Inside) -> None:
    inside.look_at("The sky is blue")
    inside.page.open_view("anatomy")
    stack: BlockStack = inside.find(BlockStack, "block_stack")
    inside.qtbot.waitUntil(lambda: stack.place_count() == 6, timeout=WAIT_MS)
    subject = inside.controller.subject()
    assert subject is not None
    total = sum(int(row[4]) for row in stack.table()[1:])
    assert total == subject.loaded.parameters
    tensors: TensorTable = inside.find(TensorTable, "tensor_table")
    assert "llama.cpp computes" in inside.find(QLabel, "anatomy_whose").text()
    code = inside.find(QPlainTextEdit, "anatomy_code")
    assert "def forward" in code.toPlainText()
    assert tensors.place_count() == 9
    names = [tensor.name for tensor in tensors.tensors]
    tensors.place_chosen.emit(next(n for n, name in enumerate(names) if "attn_k" in name))
    assert "what each token can be found by" in inside.find(QLabel, "anatomy_tensor_words").text()
    assert "def heads" in code.toPlainText()
    tensors.place_chosen.emit(next(n for n, name in enumerate(names) if "ffn_down" in name))
    assert "class MLP" in code.toPlainText() or "def forward" in code.toPlainText()
    assert inside.find(QComboBox, "anatomy_code_choice").currentText() == "MLP.forward · layers.py"
    stack.place_chosen.emit(5)
    assert tensors.place_count() == 1
    assert "def score" in code.toPlainText()


def test_a_question_answered_at_a_glance_does_not_wait_for_one_that_reads_the_whole_text(
    inside: Inside,
) -> None:
    inside.look_at("The sky is blue because air scatters blue light. " * 40)
    inside.page.open_view("tokens")  # which asks nothing
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    found: list[object] = []
    inside.controller.found.connect(lambda question, _finding: found.append(question))
    slow, quick = AskAttentionOverview(subject.ids), AskNext(subject.ids[:50])
    inside.controller.ask(slow)
    inside.controller.ask(quick)
    inside.qtbot.waitUntil(lambda: len(found) == 2, timeout=WAIT_MS)
    assert found == [quick, slow]
    inside.page.open_view("next_word")


def test_going_back_to_a_place_whose_question_was_just_given_up_asks_it_again(
    inside: Inside,
) -> None:
    inside.look_at("The sky is blue because air scatters blue light. " * 20)
    inside.page.open_view("tokens")
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    found: list[object] = []
    inside.controller.found.connect(lambda question, _finding: found.append(question))
    first, second = AskNext(subject.ids[4:90]), AskNext(subject.ids[5:91])
    for question in (first, second, first):
        inside.controller.ask(question)
    inside.settle()
    assert found[-1] == first
    inside.page.open_view("next_word")


def test_views_that_are_not_shown_ask_nothing(inside: Inside) -> None:
    for view in ("attention", "layers", "embeddings", "next_word"):
        inside.page.open_view(view)
    inside.page.open_view("tokens")
    asked: list[object] = []
    inside.page.asked.connect(asked.append)
    inside.look_at("Nothing of this is asked about")
    inside.page.place_chosen.emit(2)
    inside.settle()
    kinds = {type(question) for question in asked}
    assert kinds == {BuildTokens, TellLanguages}  # the one that is shown asks those
    inside.page.open_view("next_word")


def test_the_page_says_that_a_question_waits_for_the_answer_in_the_chat(inside: Inside) -> None:
    inside.look_at("The sky is blue because air scatters light.")
    words = inside.find(QLabel, "inside_asking")
    assert words.isHidden()
    chats = inside.parts.chats
    chats.new_chat()
    chats.send("Tell me a story.")
    inside.qtbot.waitUntil(lambda: inside.parts.engines.state().status == "answering")
    assert (words.text(), words.isHidden()) == ("after the answer in the chat", False)
    asked: list[object] = []
    inside.controller.found.connect(lambda question, _finding: asked.append(question))
    inside.page.place_chosen.emit(3)
    assert inside.parts.engines.state().status == "answering"
    inside.qtbot.waitUntil(lambda: bool(asked), timeout=WAIT_MS)
    assert inside.parts.engines.state().status == "ready"
    assert words.isHidden()


def test_the_page_says_that_the_model_is_asked_when_it_takes_long(inside: Inside) -> None:
    words = inside.find(QLabel, "inside_asking")
    words.set_busy(True)
    assert words.isHidden()
    inside.qtbot.waitUntil(lambda: not words.isHidden())
    assert words.text() == "asking the model …"
    words.set_busy(False)
    assert words.isHidden()


def test_nothing_is_asked_while_another_page_is_shown(inside: Inside) -> None:
    inside.look_at("The sky is blue because air scatters blue light. " * 30)
    inside.page.open_view("tokens")
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    found: list[object] = []
    inside.controller.found.connect(lambda question, _finding: found.append(question))
    slow, quick = AskSurprise(subject.ids[3:]), AskNext(subject.ids[:70])
    inside.window.open_page("chat")
    inside.controller.ask(slow)
    inside.controller.ask(quick)
    assert not inside.controller.busy
    inside.qtbot.wait(100)
    assert found == []
    inside.window.open_page("inside")
    inside.qtbot.waitUntil(lambda: found == [quick, slow], timeout=WAIT_MS)
    inside.controller.ask(AskAttentionOverview(subject.ids))
    inside.window.open_page("chat")
    inside.qtbot.waitUntil(lambda: not inside.controller.busy, timeout=WAIT_MS)
    inside.window.open_page("inside")
    inside.qtbot.waitUntil(lambda: len(found) == 3, timeout=WAIT_MS)
    inside.page.open_view("next_word")


def test_opening_another_text_asks_nothing_more_about_the_one_before(inside: Inside) -> None:
    inside.look_at("The sky is blue because air scatters blue light. " * 30)
    inside.page.open_view("tokens")
    inside.settle()
    before = inside.controller.subject()
    assert before is not None
    inside.window.open_page("chat")
    inside.controller.ask(AskSurprise(before.ids[3:]))
    busy: list[bool] = []
    inside.controller.busy_changed.connect(busy.append)
    inside.window.open_page("inside")
    assert busy == []  # a word of another chat may be opened in the same moment
    inside.controller.open_text("Another text")
    inside.settle()
    after = inside.controller.subject()
    assert after is not None
    assert after.tokens != before.tokens
    inside.page.open_view("next_word")


def test_the_keyboard_waits_in_the_text_and_comes_back_from_a_text_of_ones_own(
    inside: Inside,
) -> None:
    inside.find(QLineEdit, "inside_own_text").setFocus()
    inside.look_at("Once upon a time")
    strip = inside.find(TokenStrip, "inside_tokens_strip")
    assert strip.hasFocus()
    inside.find(QAbstractButton, "inside_own").click()
    field = inside.find(QLineEdit, "inside_own_text")
    assert field.hasFocus()
    assert not strip.isVisible()
    inside.find(QAbstractButton, "inside_own_back").click()
    assert strip.isVisible()
    assert strip.hasFocus()
