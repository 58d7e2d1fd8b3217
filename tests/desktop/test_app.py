"""The whole application as it is composed, with a real store and no engine until one is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)

from desktop import app as application
from desktop.views import shortcuts
from desktop.widgets.theme import Theme
from inference.paths import AppPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

REPO = Path(__file__).resolve().parents[2]
CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit,
    QPlainTextEdit, QTextEdit,
)  # fmt: skip


@dataclass
class Home:
    """Folders of one test."""

    root: Path

    def paths(self) -> AppPaths:
        return AppPaths(
            *(self.root / name for name in ("data", "config", "cache", "models", "log"))
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def open_app(
    qtbot: QtBot, dressed_app: QApplication, home: Home
) -> Iterator[Callable[[], application.Parts]]:
    """Build the application on the test's folders; take it down in the end."""
    opened: list[application.Parts] = []

    def build() -> application.Parts:
        parts = application.build(dressed_app, home.paths())
        opened.append(parts)
        qtbot.addWidget(parts.window)
        parts.window.show()
        parts.window.activateWindow()
        qtbot.waitUntil(parts.window.isActiveWindow)
        return parts

    yield build
    for parts in opened:
        parts.window.close()
        parts.close()
    dressed_app.setStyleSheet("")


def above(widget: QWidget) -> Iterator[QWidget]:
    """Every widget that a widget lies in."""
    parent = widget.parentWidget()
    while parent is not None:
        yield parent
        parent = parent.parentWidget()


def controls(root: QWidget) -> list[QWidget]:
    """Everything a person can work with; not what Qt builds into its own widgets."""
    found = []
    for widget in root.findChildren(QWidget):
        inside_qt = any(isinstance(one, QAbstractSpinBox | QComboBox) for one in above(widget))
        if isinstance(widget, CONTROLS) and not isinstance(widget, QScrollBar) and not inside_qt:
            found.append(widget)
    return found


def test_every_control_has_a_name_for_people_and_one_for_tests(
    open_app: Callable[[], application.Parts],
) -> None:
    parts = open_app()
    for page in ("models", "downloads", "settings", "chat"):
        parts.window.open_page(page)
    parts.window.chat_page.toggle_panel()
    parts.window.show_keys()
    found = controls(parts.window)
    assert len(found) > 40
    nameless = [repr(one) for one in found if not one.accessibleName() or not one.objectName()]
    assert nameless == []


def test_the_window_starts_with_few_widgets(open_app: Callable[[], application.Parts]) -> None:
    parts = open_app()
    assert len(parts.window.findChildren(QWidget)) < 250
    parts.window.open_page("models")
    parts.window.open_page("settings")
    assert len(parts.window.findChildren(QWidget)) < 400


def test_a_bug_in_any_thread_is_shown_and_the_window_stays(
    open_app: Callable[[], application.Parts], qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    parts = open_app()
    reporter = application.BugReporter(parts.window)
    error = RuntimeError("a mistake")

    def fail() -> None:
        reporter.take(RuntimeError, error, None)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: parts.window.dialogs.content is not None)
    report = parts.window.findChild(QPlainTextEdit, "bug_report")
    assert isinstance(report, QPlainTextEdit)
    assert "RuntimeError: a mistake" in report.toPlainText()
    assert "PySide6 6." in report.toPlainText()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert parts.window.dialogs.content is None
    assert parts.window.isVisible()
    assert "unexpected RuntimeError" in caplog.text


def test_a_second_window_says_why_it_will_not_keep_chats(
    open_app: Callable[[], application.Parts],
) -> None:
    open_app()
    second = open_app()
    assert second.window.banner.isVisible()
    assert second.window.banner.accessibleName()
    assert not second.database.kept


def test_damaged_settings_do_not_keep_the_window_shut(
    open_app: Callable[[], application.Parts], home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.paths().settings.parent.mkdir(parents=True)
    home.paths().settings.write_text("{not json", encoding="utf-8")
    assert open_app().window.isVisible()
    assert "settings file is damaged" in caplog.text


def test_size_and_widths_are_kept(open_app: Callable[[], application.Parts]) -> None:
    first = open_app()
    first.window.resize(760, 560)
    first.window.close()
    first.close()
    assert open_app().window.size() == first.window.size()


def test_every_key_that_the_window_takes_is_bound(
    open_app: Callable[[], application.Parts],
) -> None:
    parts = open_app()
    bound = {name.objectName() for name in parts.window.findChildren(shortcuts.QShortcut)}
    wanted = {f"key_{key.action}" for key in shortcuts.all_keys() if key.by_window}
    assert wanted <= bound


def test_ctrl_q_closes_the_window(open_app: Callable[[], application.Parts], qtbot: QtBot) -> None:
    parts = open_app()
    with qtbot.waitSignal(parts.window.closing):
        qtbot.keyClick(parts.window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert not parts.window.isVisible()


def test_escape_closes_what_is_in_front_first(
    open_app: Callable[[], application.Parts], qtbot: QtBot
) -> None:
    parts = open_app()
    qtbot.keyClick(parts.window, Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(parts.window.dialogs.content, shortcuts.KeysDialog)
    with qtbot.assertNotEmitted(parts.window.escape_pressed):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert parts.window.dialogs.content is None
    with qtbot.waitSignal(parts.window.escape_pressed):
        qtbot.keyClick(parts.window, Qt.Key.Key_Escape)


def test_f6_goes_round_the_parts_of_the_window(
    open_app: Callable[[], application.Parts], qtbot: QtBot
) -> None:
    parts = open_app()
    parts.window.chat_page.toggle_panel()
    parts.window.rail.focus_current()
    seen: list[str] = []
    for _ in range(4):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
        focus = QApplication.focusWidget()
        regions = (parts.window.rail, parts.window.chat_list, parts.column,
                   parts.window.side_panel)  # fmt: skip
        seen += [part.objectName() for part in regions if part.isAncestorOf(focus)]
    assert seen == ["chat_list", "chat_column", "side_panel", "rail"]


def test_a_change_of_theme_reaches_the_whole_window(
    open_app: Callable[[], application.Parts],
) -> None:
    parts = open_app()
    parts.settings.update(theme="light")
    before = parts.window.grab().toImage().pixelColor(5, 300)
    parts.settings.update(theme="dark")
    after = parts.window.grab().toImage().pixelColor(5, 300)
    assert (before, after) == (
        Theme.load("light").rail,
        Theme.load("dark").rail,
    )


def test_the_window_process_imports_no_engine(home: Home) -> None:
    script = """
import sys
from PySide6.QtCore import QTimer
from desktop import app
from desktop.widgets.theme import Theme
from inference.paths import app_paths
qt = app.make_application()
parts = app.build(qt, app_paths())
parts.window.show()
for page in ("models", "downloads", "settings", "chat"):
    parts.window.open_page(page)
QTimer.singleShot(300, qt.quit)
qt.exec()
parts.close()
heavy = {"torch", "llama_cpp", "tokenizers", "transformers", "huggingface_hub", "numpy"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPO, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"GLASSHOUSE_HOME": str(home.root), "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


IDLE = """
import sys, time
from PySide6.QtCore import QTimer
import desktop.app as application

marks = []

def mark():
    marks.append((time.process_time(), time.monotonic()))
    if len(marks) < 2:
        QTimer.singleShot(1500, mark)
        return
    (cpu, clock), (cpu_end, clock_end) = marks
    print((cpu_end - cpu) / (clock_end - clock))
    application.QApplication.closeAllWindows()

application.start = lambda parts, path: QTimer.singleShot(1000, mark)
sys.exit(application.main())
"""


def test_an_idle_window_uses_no_processor_time(home: Home) -> None:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen", "GLASSHOUSE_HOME": str(home.root), "PYTHONPATH": str(REPO),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", IDLE], env=environment, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 0.15


def test_messages_cost_nothing_before_the_first_paint(home: Home) -> None:
    program = (
        "import sys, desktop.app as a; parts = a.build(a.make_application(), a.app_paths());"
        "parts.window.show(); parts.window.grab();"
        "print([m for m in sys.modules if m.startswith('desktop.widgets.markdown')]);"
        "parts.column.prepare(); parts.close()"
    )
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen", "GLASSHOUSE_HOME": str(home.root), "PYTHONPATH": str(REPO),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
