"""How late the whole window's event loop is with 10,000 models in the models folder.

The real application, its real library and the starter model, on a folder of tiny but whole GGUF
files (``list_models.py`` makes them): the first start with every header to read, then what a
person does on Models, Installed, in the model picker and in the settings, then a question and its
answer. A timer of a millisecond notes how late each beat is, and how much processor time the GUI
thread took for it. Ends with 1 where a p99 is above 16 ms.

    python packaging/benchmarks/many_models.py [--models 10000] [--seconds 4] [--folder DIR]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from list_models import make_files  # type: ignore[import-not-found]  # noqa: E402
from models_page import beats, scroller, tell, typist, wait_for  # noqa: E402
from PySide6.QtCore import QTimer  # noqa: E402
from PySide6.QtWidgets import QListView, QWidget  # noqa: E402
from transcript import Heart  # type: ignore[import-not-found]  # noqa: E402

from desktop import app as application  # noqa: E402
from desktop.views.models_page import ModelsPage  # noqa: E402
from desktop.widgets.inputs import SearchField  # noqa: E402
from desktop.widgets.model_picker import ModelPicker  # noqa: E402
from inference.paths import AppPaths  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

P99_MS = 16.0
WORDS = ("model 01", "instruct", "name1", "nothing-like-it")


def main() -> int:
    """Run once; 0 where the target is met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--folder", type=Path, help="where the files are made; kept if given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="many-models-") as home:
        models = options.folder or Path(home) / "models"
        make_files(models, options.models)
        names = ("data", "config", "cache")
        folders = [Path(home) / name for name in names]
        paths = AppPaths(*folders, models, Path(home) / "log")
        worst = measure(paths, options.models, options.seconds)
    return 0 if worst <= P99_MS else 1


def measure(paths: AppPaths, count: int, seconds: float) -> float:
    """Open the window, use it, and return the largest p99 in ms."""
    app = application.make_application()
    parts = application.build(app, paths)
    parts.window.resize(1280, 800)
    parts.window.show()
    try:
        return use(parts, count, seconds)
    finally:
        parts.window.close()
        parts.close()


def use(parts: application.Parts, count: int, seconds: float) -> float:
    """Do what a person does; return the largest p99 in ms."""
    engines = parts.engines

    def all_read() -> bool:
        rows = engines.models().rows
        return len(rows) >= count and all(row.info.architecture for row in rows)

    def ready() -> bool:
        return engines.state().status == "ready"

    figures = [
        during(
            "first start, every header to read",
            lambda: application.start(parts, None),
            lambda: ready() and all_read(),
            each_ms=500,
        )
    ]
    beats("idle window (this computer's own noise)", seconds, None, 1000)
    parts.window.open_page("models")
    wait_for(lambda: shown(parts, "models_page") is not None)
    page = parts.window.findChild(ModelsPage)
    assert page is not None
    figures.append(during("opening Installed", lambda: page.open_tab("installed"), rest_ms=900))
    view, field = shown(parts, "models_list"), parts.window.findChild(SearchField, "models_search")
    assert isinstance(view, QListView)
    assert field is not None
    figures.append(beats("scrolling Installed", seconds, scroller(view), 16))
    figures.append(beats("typing in Installed, 12 letters a s", seconds, typist(field, WORDS), 80))
    field.clear()
    middle = engines.models().rows[count // 2].info.id
    figures.append(
        during("a star", lambda: engines.shelf.change_note(middle, favourite=True), rest_ms=900)
    )
    figures.append(during("a look at the folder", engines.refresh, rest_ms=2_500))
    figures.append(picking(parts, seconds))
    settings = "opening the settings"
    figures.append(during(settings, lambda: parts.window.open_page("settings"), rest_ms=900))
    parts.window.open_page("chat")
    figures.append(
        during("a question and its answer", lambda: parts.chats.send("Why?"), ready, rest_ms=1_500)
    )
    return max(figures)


def picking(parts: application.Parts, seconds: float) -> float:
    """Open the list of models in a chat and type in it."""
    parts.window.open_page("chat")
    picker = parts.window.findChild(ModelPicker)
    assert picker is not None
    first = during("opening the model picker", picker.open_list, rest_ms=900)
    field = parts.window.findChild(SearchField, "model_search")
    assert field is not None
    later = beats("typing in the model picker", seconds, typist(field, WORDS), 80)
    parts.window.press_escape()
    return max(first, later)


def shown(parts: application.Parts, name: str) -> QWidget | None:
    """Return a widget of the window if it is seen."""
    found = parts.window.findChild(QWidget, name)
    return found if isinstance(found, QWidget) and found.isVisible() else None


def during(
    name: str,
    act: Callable[[], object],
    until: Callable[[], bool] | None = None,
    *,
    rest_ms: int = 100,
    each_ms: int = 20,
) -> float:
    """Do one thing, wait for what it leads to, and print how late the loop was meanwhile.

    Args:
        name: What is printed.
        act: Called from the loop.
        until: What has to be so at the end.
        rest_ms: How much longer the loop is watched.
        each_ms: How often is looked.
    """
    heart, done = Heart(), [False]

    def rested() -> None:
        done[0] = True

    heart.start()
    QTimer.singleShot(30, act)  # type: ignore[arg-type]  # whatever it returns
    QTimer.singleShot(30 + rest_ms, rested)
    wait_for(lambda: done[0] and (until is None or until()), each_ms)
    heart.stop()
    return tell(name, heart)


if __name__ == "__main__":
    sys.exit(main())
