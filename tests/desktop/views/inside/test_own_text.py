"""The field for a text of one's own: the way out of it, and what a narrow window offers there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from desktop.widgets.controls import IconButton

if TYPE_CHECKING:
    from tests.desktop.views.inside.house import Inside


def field_of(inside: Inside) -> QLineEdit:
    found = inside.find(QLineEdit, "inside_own_text")
    assert isinstance(found, QLineEdit)
    return found


def own_text(inside: Inside) -> QLineEdit:
    inside.find(IconButton, "inside_own").click()
    field = field_of(inside)
    assert inside.window.focusWidget() is field
    return field


def test_escape_leads_to_the_views_where_there_is_no_text(inside: Inside) -> None:
    assert inside.controller.subject() is None
    field = field_of(inside)
    field.setFocus()
    inside.qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert inside.window.focusWidget() is inside.find(QWidget, "inside_views")


def test_a_narrow_window_offers_the_views_before_there_is_a_text(inside: Inside) -> None:
    assert inside.controller.subject() is None
    views = inside.find(QComboBox, "inside_view_choice")
    assert not views.isVisible()
    inside.window.resize(720, 640)
    inside.qtbot.waitUntil(views.isVisible)
    assert field_of(inside).isVisible()
    for name in ("inside_own", "inside_controls_toggle", "inside_model"):
        assert not inside.find(QWidget, name).isVisible()
    views.setCurrentIndex(views.findData("evaluation"))
    views.activated.emit(views.currentIndex())
    assert inside.page.current_view() == "evaluation"
    assert not field_of(inside).isVisible()
    assert views.isVisible()
    inside.page.open_view("next_word")
    inside.window.resize(1280, 800)


def test_escape_leads_from_the_field_back_to_the_text_and_loses_no_word(inside: Inside) -> None:
    inside.look_at("The kite is red")
    field = own_text(inside)
    field.clear()
    inside.qtbot.keyClicks(field, "Another text")
    inside.qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert inside.window.focusWidget() is inside.find(QWidget, "inside_tokens_strip")
    assert own_text(inside).text() == "Another text"
