"""The menu of a message: what it offers at a place, and to somebody without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication

from desktop.widgets.markdown.blocks import BlockStream
from desktop.widgets.transcript.body import MARGIN, Body
from desktop.widgets.transcript.body_menu import body_menu

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMenu
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

TEXT = (
    "R&D is [here](https://one.example/?a=1&b=2).\n\n| a | b |\n| - | - |\n"
    "| https://two.example | [x](https://one.example/?a=1&b=2) |\n\n`https://code.example`"
)
ONE, TWO = "https://one.example/?a=1&b=2", "https://two.example"


@pytest.fixture
def body(qtbot: QtBot, theme: Theme) -> Body:
    stream = BlockStream()
    made = Body(stream, theme)
    qtbot.addWidget(made)
    made.append(TEXT)
    made.close_stream()
    made.set_width(500, 500)
    made.resize(520, 400)
    return made


def _menu(body: Body, spot: QPointF, reason: QContextMenuEvent.Reason) -> QMenu:
    at = QPoint(round(spot.x()) + MARGIN, round(spot.y()))
    return body_menu(body, QContextMenuEvent(reason, at, at), spot)


def _named(menu: QMenu, name: str) -> QAction:
    return next(one for one in menu.actions() if one.objectName() == name)


def test_opened_by_a_key_it_leads_to_every_address(body: Body) -> None:
    body._chosen.press((0, 0), extend=False)
    menu = _menu(body, QPointF(250, 390), QContextMenuEvent.Reason.Keyboard)
    opens = [one.text() for one in menu.actions() if one.text().startswith("Open")]
    assert opens == [f"Open {ONE}".replace("&", "&&"), f"Open {TWO}"]
    _named(menu, "message_copy_1").trigger()
    assert QGuiApplication.clipboard().text() == TWO
    _named(menu, "message_copy_0").trigger()
    assert QGuiApplication.clipboard().text() == ONE


def test_opened_by_the_mouse_it_offers_what_is_there(body: Body, qtbot: QtBot) -> None:
    places = [QPointF(x, 12) for x in range(0, 300, 3)]
    link = next(one for one in places if body.flow.link_at(one.x(), one.y()))
    at_link = _menu(body, link, QContextMenuEvent.Reason.Mouse)
    assert [one.text() for one in at_link.actions() if one.text().startswith("Open")] == [
        f"Open {ONE}".replace("&", "&&")
    ]
    at_word = _menu(body, QPointF(2, 12), QContextMenuEvent.Reason.Mouse)
    assert not [one for one in at_word.actions() if one.text().startswith("Open")]
    with qtbot.waitSignal(body.inside_requested) as asked:
        _named(at_word, "message_look").trigger()
    assert asked.args == ["R", 0]
    assert not _named(at_word, "message_copy_words").isEnabled()
    body.select_all()
    assert _named(
        _menu(body, link, QContextMenuEvent.Reason.Mouse), "message_copy_words"
    ).isEnabled()
