"""Make the README's pictures: the real window, the real starter model, real answers.

    python packaging/screenshots.py [--out packaging/pictures]

Needs a display (a virtual one will do). Chats and settings live in a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QObject, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication, QPushButton  # noqa: E402

from desktop.app import Parts, build, make_application, start  # noqa: E402
from desktop.controllers.inside import InsideController  # noqa: E402
from desktop.views.chat_column import ChatColumn  # noqa: E402
from desktop.views.inside.page import InsidePage  # noqa: E402
from inference.paths import app_paths  # noqa: E402

Ready = Callable[[], bool]
QUESTIONS = (
    "Why is the sky blue?",
    "What is the difference between a base and an instruct model?",
    "Tell me a story about a red kite.",
)
INSIDE = ("walk", "next_word", "attention", "layers", "lab")


class Photographer(QObject):
    """Walks through the steps of a story; each step says what must be true before the next."""

    def __init__(self, parts: Parts, folder: Path, steps: Iterator[Ready]) -> None:
        super().__init__()
        self.parts, self.folder, self._steps = parts, folder, steps
        self._wanted: Ready = lambda: True
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(350)  # long enough for a panel to have slid in

    def _look(self) -> None:
        if not self._wanted():
            return
        step = next(self._steps, None)
        if step is None:
            self._timer.stop()
            self.parts.window.close()
            QApplication.quit()
        else:
            self._wanted = step


def story(parts: Parts, folder: Path) -> Iterator[Ready]:
    """Use the app as a person would and take a picture of each page."""
    window, chats, engines = parts.window, parts.chats, parts.engines

    def shoot(name: str) -> None:
        window.grab().save(str(folder / f"{name}.png"))
        print(name, flush=True)

    def ready() -> bool:
        return engines.state().status == "ready"

    window.resize(1280, 800)
    yield ready
    yield lambda: True
    shoot("first-run-light")
    chats.set_sampling(chats.current().sampling.__class__(temperature=0.0, repeat_penalty=1.0))
    for question in QUESTIONS:
        chats.send(question)
        yield lambda: False if engines.state().status == "answering" else ready()
    window.findChild(QObject, "panelToggle")
    yield lambda: True
    shoot("chat-light")
    for theme in ("dark", "light"):
        parts.settings.update(theme=theme)
        yield lambda: True
        shoot(f"chat-{theme}")
    engines.load("starter-base")
    yield ready
    chats.new_chat()
    chats.send("Once upon a time there was a small boat")
    yield lambda: False if engines.state().status == "answering" else ready()
    yield lambda: True
    shoot("base-light")
    for page in ("models", "settings"):
        window.open_page(page)
        for theme in ("dark", "light"):
            parts.settings.update(theme=theme)
            yield lambda: True
            shoot(f"{page}-{theme}")
    yield from inside(parts, shoot)
    window.open_page("chat")
    window.resize(900, 640)
    yield lambda: True
    yield lambda: True
    shoot("narrow-light")


def inside(parts: Parts, shoot: Callable[[str], None]) -> Iterator[Ready]:
    """What the views of the Inside page show of a word of a story, each in both themes."""
    window, chats, engines = parts.window, parts.chats, parts.engines
    engines.load("starter-instruct")
    yield lambda: engines.state().status == "ready"
    window.open_page("chat")
    chats.new_chat()
    chats.send(QUESTIONS[2])
    yield lambda: engines.state().status == "ready"
    yield lambda: True
    column = window.findChild(ChatColumn)
    assert column is not None
    answer = column.transcript.message_ids()[-1]
    column.inside_requested.emit(answer, "", 0)
    page, controller = window.findChild(InsidePage), window.findChild(InsideController)
    assert page is not None
    assert controller is not None

    def found() -> bool:
        return controller.subject() is not None and not controller.busy

    yield found
    subject = controller.subject()
    assert subject is not None
    controller.choose(subject.answer_start + 7)
    yield found
    for view in INSIDE:
        page.open_view(view)
        run = page.findChild(QPushButton, "lab_run")
        if view == "lab" and run is not None:
            yield found
            run.click()
        for theme in ("dark", "light"):
            parts.settings.update(theme=theme)
            yield found
            yield lambda: True
            shoot(f"inside-{view.replace('_', '-')}-{theme}")


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "packaging" / "pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["GLASSHOUSE_HOME"] = home
        app = make_application()
        parts = build(app, app_paths())
        parts.window.show()
        QTimer.singleShot(0, parts.window, lambda: start(parts, None))
        photographer = Photographer(parts, out, story(parts, out))
        try:
            return app.exec()
        finally:
            photographer.deleteLater()
            parts.close()


if __name__ == "__main__":
    sys.exit(main())
