"""The composition root: builds everything once, hands it on as arguments, runs, and tidies up.

Nothing here imports an engine; the model is loaded after the window has been painted.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QSocketNotifier, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.chat import ChatController
from desktop.controllers.downloads import DownloadController
from desktop.controllers.engine import EngineController
from desktop.controllers.newcomers import Newcomers
from desktop.controllers.past import PastController
from desktop.controllers.problems import store_problem
from desktop.controllers.settings import SettingsController
from desktop.late import LateLibrary
from desktop.store.database import Database
from desktop.store.settings import SettingsFile
from desktop.views.appearance import appearance
from desktop.views.chat_column import ChatColumn
from desktop.views.inside_ahead import InsideAhead
from desktop.views.late_arrivals import LateArrivals
from desktop.views.main_window import MainWindow
from desktop.views.wiring import Wiring
from desktop.widgets import fonts
from desktop.widgets.icons import app_icon
from desktop.widgets.model_picker import ModelPicker
from desktop.widgets.theme_manager import ThemeManager
from inference.host.client import EngineClient
from inference.paths import AppPaths, app_paths

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is built once and must be taken down in order."""

    bridge: EventBridge
    tasks: TaskRunner
    database: Database
    settings: SettingsController
    engines: EngineController
    chats: ChatController
    downloads: DownloadController
    library: LateLibrary
    paths: AppPaths
    themes: ThemeManager
    window: MainWindow
    column: ChatColumn

    def close(self) -> None:
        """Keep what is pending, end the engine process and the threads."""
        self.chats.shutdown()
        self.downloads.shutdown()
        # A second window has no chats file; what the first one removed can still come back there.
        self.engines.shutdown(empty_trash=self.database.kept)
        self.tasks.close()
        self.bridge.close()
        self.database.close()


class BugReporter(QObject):
    """Takes exceptions that nobody expected, from any thread, and shows them in the window."""

    _reported = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reported.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def take(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log an exception and show it; the app goes on."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        from desktop.views.bug_dialog import report_text  # noqa: PLC0415  rare, and not for free

        _log.error("unexpected %s", kind.__name__, exc_info=(kind, error, trace))
        self._reported.emit(report_text(kind, error, trace))

    def take_from_thread(self, arguments: threading.ExceptHookArgs) -> None:
        """Do the same for a thread that ended by an exception."""
        if arguments.exc_value is not None:
            self.take(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def take_failure(self, error: Exception) -> None:
        """Do the same for a job whose failure nobody took."""
        self.take(type(error), error, error.__traceback__)

    def _show(self, report: str) -> None:
        from desktop.views.bug_dialog import BugDialog  # noqa: PLC0415  as above

        if isinstance(self._window.dialogs.content, BugDialog):
            return  # the first one is the one to read
        dialog = BugDialog(report, self._window.theme)
        dialog.close_button.clicked.connect(self._window.dialogs.close_content)
        self._window.show_dialog(dialog)


def main(model_path: Path | None = None) -> int:
    """Open the window and run until it is closed.

    Args:
        model_path: A ``.gguf`` file or checkpoint folder to open; without one, the usual model.

    Returns:
        The exit status.
    """
    app = make_application()
    parts = build(app, app_paths())
    reporter = BugReporter(parts.window)
    for tasks in (parts.tasks, parts.downloads.tasks):
        tasks.failure_unhandled.connect(reporter.take_failure)
    hooks = sys.excepthook, threading.excepthook
    sys.excepthook, threading.excepthook = reporter.take, reporter.take_from_thread
    watch = InterruptWatch(app)
    parts.window.show()
    QTimer.singleShot(0, parts.window, lambda: start(parts, model_path))
    try:
        return app.exec()
    finally:
        sys.excepthook, threading.excepthook = hooks
        parts.close()
        watch.close()


def make_application() -> QApplication:
    """Make the one application object, in our style."""
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    QGuiApplication.setDesktopFileName("glasshouse")
    app = QApplication(["glasshouse"])
    app.setApplicationName("Glasshouse")
    app.setApplicationDisplayName("Glasshouse")
    app.setStyle("Fusion")
    if QLocale().language() == QLocale.Language.C:
        # "C" groups no thousands; numbers here are read by people.
        QLocale.setDefault(QLocale(QLocale.Language.English))
    fonts.load_start_faces()
    return app


def build(app: QApplication, paths: AppPaths) -> Parts:
    """Build everything; nothing slow happens before the window is shown."""
    settings = SettingsController(SettingsFile(paths.settings), app)
    themes = ThemeManager(app, appearance(settings.settings()))
    database, trouble = Database.open_or_memory(paths.database)
    bridge = EventBridge(app)
    tasks = TaskRunner(app)
    library = LateLibrary(paths)
    # What a window reads whose chats are not kept is not kept either.
    in_force = settings.settings if database.kept else settings.settings_without_past
    engines = EngineController(EngineClient, library, bridge, tasks, in_force, parent=app)
    chats = ChatController(database, engines, bridge, tasks, settings.settings, parent=app)
    downloads = DownloadController(
        library.models_folder,
        paths.data if database.kept else None,  # a second window must not write the same list
        bridge,
        settings.settings,
        parent=app,
    )
    settings.changed.connect(lambda value: downloads.apply(value.downloads))
    downloads.finished.connect(lambda _row: engines.refresh())
    past = PastController(paths.past, engines, tasks, settings.settings(), parent=app)
    settings.changed.connect(past.take_settings)
    chats.chats_purged.connect(past.forget)
    column = ChatColumn(themes.theme)
    column.set_picker(ModelPicker(themes.theme))

    window = MainWindow(themes.theme, settings.settings(), column)
    window.setWindowIcon(app_icon(themes.theme))
    Wiring(
        window,
        column,
        chats=chats,
        downloads=downloads,
        engines=engines,
        settings=settings,
        themes=themes,
        bridge=bridge,
        tasks=tasks,
        past=past,
        paths=paths,
        library=library,
    )
    LateArrivals(library, engines, tasks, window)
    InsideAhead(engines, tasks, app)
    Newcomers(engines, tasks, app).problem_raised.connect(window.show_problem)
    if trouble is not None:
        window.show_problem(store_problem(trouble, is_kept=False))
    elif settings.start_problem is not None:
        window.show_problem(settings.start_problem)
    return Parts(
        bridge,
        tasks,
        database,
        settings,
        engines,
        chats,
        downloads,
        library,
        paths,
        themes,
        window,
        column,
    )


def start(parts: Parts, model_path: Path | None) -> None:
    """Do what may take a moment, once the window has been painted."""
    from desktop.views.network_wiring import NetworkWiring  # noqa: PLC0415  not before the paint

    fonts.load_reading_faces()
    if model_path is not None:
        parts.window.take_model(str(model_path.expanduser().absolute()))
    else:
        parts.engines.load_default()
    NetworkWiring(parts.window, parts.bridge, parts.downloads, parts.settings)
    parts.downloads.apply(parts.settings.settings().downloads)
    parts.downloads.begin()
    QTimer.singleShot(0, parts.column, parts.column.prepare)  # the engine starts meanwhile
    if not parts.chats.chats():
        QTimer.singleShot(0, parts.column, lambda: offer_models(parts))


def offer_models(parts: Parts) -> None:
    """Show somebody who has no chat yet what to begin with."""
    from desktop.controllers.first_run import FirstRunController  # noqa: PLC0415  rarely needed
    from desktop.views.first_run_wiring import FirstRunWiring  # noqa: PLC0415

    offers = FirstRunController(parts.library, parts.paths, parts.tasks)
    offers.problem_raised.connect(parts.window.show_problem)
    FirstRunWiring(
        parts.column,
        parts.window.theme,
        offers,
        downloads=parts.downloads,
        engines=parts.engines,
        chats=parts.chats,
    )


class InterruptWatch(QObject):
    """Lets Ctrl+C in the terminal and a polite kill close the window as a click does.

    Python runs signal handlers only between its own instructions; the socket wakes Qt for it.
    Both ends live as long as this object: a closed one would be readable for ever.
    """

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        handled = (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM)
        for number in handled:
            signal.signal(number, lambda *_: app.quit())
        self._ends = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)
        signal.set_wakeup_fd(self._ends[1].fileno(), warn_on_full_buffer=False)
        kind = QSocketNotifier.Type.Read
        self._notifier = QSocketNotifier(self._ends[0].fileno(), kind, self)
        self._notifier.activated.connect(self._on_woken)

    def _on_woken(self) -> None:
        self._ends[0].recv(64)

    def close(self) -> None:
        """Stop watching and close the socket."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        for end in self._ends:
            end.close()
