"""What can be done with the words of a message, as a menu.

Opened by a key it offers every address in the message: the keyboard points at no place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QContextMenuEvent, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from desktop.widgets.transcript.body import Body

_MOST: Final = 12
_LONG: Final = 60


def body_menu(body: Body, event: QContextMenuEvent, spot: QPointF) -> QMenu:
    """Return the menu for a place in the words; it goes when it is closed.

    Args:
        body: The words.
        event: What asked for it.
        spot: The place, without the body's margin.
    """
    menu = QMenu(body)
    menu.setObjectName("message_menu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
    here = body.word_here() if by_key else body.word_at(body.flow.place_at(spot.x(), spot.y()))
    word, occurrence = here
    if word:
        look = _action(menu, _tr("Look inside at “{0}”").format(word), "message_look")
        look.triggered.connect(lambda: body.inside_requested.emit(word, occurrence))
    copy = _action(menu, _tr("Copy"), "message_copy_words")
    copy.setEnabled(body.has_selection())
    copy.triggered.connect(body.copy)
    _action(menu, _tr("Choose all"), "message_choose_all").triggered.connect(body.select_all)
    link_here = body.flow.link_at(spot.x(), spot.y())
    links = body.flow.links() if by_key else (link_here,) if link_here else ()
    for number, link in enumerate(links[:_MOST]):
        shown = link if len(link) <= _LONG else f"{link[: _LONG - 1]}…"
        opens = _action(menu, _tr("Open {0}").format(shown), f"message_open_{number}")
        opens.triggered.connect(lambda _checked=False, to=link: QDesktopServices.openUrl(QUrl(to)))
        copies = _action(menu, _tr("Copy {0}").format(shown), f"message_copy_{number}")
        copies.triggered.connect(
            lambda _checked=False, to=link: QGuiApplication.clipboard().setText(to)
        )
    return menu


def _action(menu: QMenu, words: str, name: str) -> QAction:
    """Add what can be done; an ``&`` in a word or an address is no key."""
    action = QAction(words.replace("&", "&&"), menu)
    action.setObjectName(name)
    menu.addAction(action)
    return action


def _tr(text: str) -> str:
    return QCoreApplication.translate("Body", text)
