"""Things in front: how they take the keyboard, keep it, and give it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPropertyAnimation, Qt, QTimer
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from desktop.widgets.controls import Button
from desktop.widgets.focus_ring import RING_PROPERTY, FocusRing, focus_by_keyboard
from desktop.widgets.overlay import FloatFrame, Overlay
from desktop.widgets.toast import Toast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


class Scene:
    """A window with a field under and a frame with two fields in front."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(600, 400)
        self.under = QLineEdit(self.window)
        self.overlay = Overlay(self.window, theme, name="overlay")
        self.frame = FloatFrame(theme, name="frame")
        self.first, self.second = QLineEdit(), QLineEdit()
        box = QVBoxLayout()
        box.addWidget(self.first)
        box.addWidget(self.second)
        self.frame.body.addLayout(box)
        self.frame.setFocusProxy(self.first)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.under.setFocus()


@pytest.fixture
def scene(qtbot: QtBot, theme: Theme) -> Scene:
    return Scene(qtbot, theme)


def test_it_takes_the_keyboard_and_gives_it_back(scene: Scene, qtbot: QtBot) -> None:
    scene.overlay.open_centred(scene.frame)
    assert scene.first.hasFocus()
    with qtbot.waitSignal(scene.overlay.closed):
        qtbot.keyClick(scene.first, Qt.Key.Key_Escape)
    assert scene.under.hasFocus()
    assert scene.overlay.content is None


def test_tab_stays_inside(scene: Scene, qtbot: QtBot) -> None:
    scene.overlay.open_centred(scene.frame)
    seen = []
    for _ in range(4):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert set(seen) == {scene.first, scene.second}


def test_a_press_beside_closes_and_one_on_it_does_not(scene: Scene, qtbot: QtBot) -> None:
    scene.overlay.open_centred(scene.frame)
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(scene.overlay, left, pos=scene.overlay.rect().center())
    assert scene.overlay.content is scene.frame
    qtbot.mouseClick(scene.overlay, left, pos=QPoint(3, 3))
    assert scene.overlay.content is None


def test_it_covers_its_area_when_that_grows(scene: Scene) -> None:
    scene.overlay.open_centred(scene.frame)
    scene.window.resize(900, 700)
    QApplication.processEvents()
    assert scene.overlay.size() == scene.window.size()


def test_the_second_thing_replaces_the_first(scene: Scene, theme: Theme) -> None:
    other = FloatFrame(theme, name="other")
    scene.overlay.open_centred(scene.frame)
    scene.overlay.open_centred(other)
    assert scene.overlay.content is other
    assert not scene.frame.isVisible()


def test_the_ring_shows_for_the_keyboard_only(qtbot: QtBot, scene: Scene, theme: Theme) -> None:
    ring = FocusRing(scene.window, theme)
    scene.under.setProperty(RING_PROPERTY, True)
    other = QLineEdit(scene.window)
    QWidget.setTabOrder(other, scene.under)
    other.move(0, 60)
    other.show()
    other.setFocus()
    qtbot.keyClick(other, Qt.Key.Key_Tab)
    assert ring.widget() is scene.under
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(scene.under, Qt.MouseButton.LeftButton)
    assert ring.widget() is None
    assert not ring.isVisible()


def test_the_ring_stands_two_pixels_away_with_all_its_corners(
    qtbot: QtBot, scene: Scene, theme: Theme
) -> None:
    around = QWidget(scene.window)  # as small as what it holds, as layouts make them
    around.setGeometry(40, 80, 120, 32)
    button = Button("Go on", theme, name="go_on", parent=around)
    ring = FocusRing(scene.window, theme)
    button.resize(around.size())
    around.show()
    focus_by_keyboard(button, Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(ring.isVisible)
    assert ring.geometry() == around.geometry().adjusted(-4, -4, 4, 4)
    picture = scene.window.grab().toImage()
    ink = theme.focus.rgb()
    assert picture.pixelColor(100, 77).rgb() == ink  # above it
    assert picture.pixelColor(100, 79).rgb() != ink  # the distance
    corner = {picture.pixelColor(x, y).rgb() for x in range(36, 42) for y in range(76, 82)}
    assert ink in corner


def test_panels_that_came_in_leave_nothing_behind(scene: Scene, qtbot: QtBot, theme: Theme) -> None:
    assert theme.duration("overlay") > 0
    for _ in range(4):
        scene.overlay.open_side(scene.frame, "left", 280)
        scene.overlay.close_content()
    qtbot.waitUntil(lambda: len(scene.overlay.findChildren(QPropertyAnimation)) == 1)


def test_a_panel_on_its_way_in_follows_a_window_that_changes(scene: Scene, qtbot: QtBot) -> None:
    scene.overlay.open_side(scene.frame, "right", 280)
    scene.window.resize(700, 400)
    qtbot.waitUntil(lambda: scene.frame.x() == 420)
    qtbot.wait(250)  # longer than the way in takes
    assert scene.frame.x() == 420


def test_a_toast_acts_once(qtbot: QtBot, scene: Scene, theme: Theme) -> None:
    toast = Toast(scene.window, 28, theme)
    toast.offer("Deleted.", "Undo")
    with qtbot.waitSignal(toast.acted):
        toast.act()
    with qtbot.assertNotEmitted(toast.acted):
        toast.act()


def test_a_toast_without_a_way_back_does_nothing(qtbot: QtBot, scene: Scene, theme: Theme) -> None:
    toast = Toast(scene.window, 28, theme)
    toast.offer("Copied.")
    with qtbot.assertNotEmitted(toast.acted):
        toast.act()
    assert toast.isVisible()


def test_a_toast_that_was_closed_waits_no_longer(qtbot: QtBot, scene: Scene, theme: Theme) -> None:
    toast = Toast(scene.window, 28, theme)
    toast.offer("Deleted.", "Undo")
    waits = toast.findChild(QTimer)
    assert waits is not None
    assert waits.isActive()
    toast.act()
    assert not waits.isActive()
