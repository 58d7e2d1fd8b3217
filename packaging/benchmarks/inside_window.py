"""The window's part of ``inside.py``: the real application, its Inside page, and a model in memory.

A chat with the model is looked at from one of its words: how long until tokens and next word are
painted; then a person opens views, moves sliders and the pointer and steps through words, while a
timer of a millisecond notes how late each beat is; beside it stands the window's own processor time
between two beats. On a busy computer the two change places.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil  # noqa: E402
from models_page import wait_for  # noqa: E402  packaging/ is no package: scripts find each other
from PySide6.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer  # noqa: E402
from PySide6.QtGui import QMouseEvent  # noqa: E402
from PySide6.QtWidgets import QApplication, QComboBox, QSlider, QWidget  # noqa: E402
from transcript import Heart, percentile  # noqa: E402

from desktop import app as application  # noqa: E402
from desktop.controllers.engine_worker import Asked  # noqa: E402
from desktop.controllers.inside import InsideController  # noqa: E402
from desktop.store.settings import EngineOptions  # noqa: E402
from desktop.views.inside.page import InsidePage  # noqa: E402
from inference.cancel import CancelToken  # noqa: E402
from inference.inside.questions import AskNext  # noqa: E402
from inference.paths import AppPaths  # noqa: E402
from inference.types import SamplingParams  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

CLOCK = time.perf_counter
LENGTHS = (256, 2_048)
WRITTEN = 24
OPEN_MS, LATE_MS = 100.0, 16.0
VIEWS = ("next_word", "attention", "layers", "tokens", "embeddings", "anatomy", "change", "lab")
HOVERED = {
    "next_word": ("next_word_bars", "next_word_strip", "inside_tokens_strip"),
    "attention": ("attention_map", "attention_heads", "attention_row"),
    "layers": ("lens_table", "update_bars"),
    "tokens": ("token_text",),
}


class Bench:
    """The application with one model in memory.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        home: Where everything is kept.
        busy: Count processor time, with one thread in the engine.
    """

    def __init__(self, path: Path, home: Path, *, busy: bool) -> None:
        self.busy = busy
        self.qt = QApplication.instance() or application.make_application()
        names = ("data", "config", "cache", "models", "log")
        self.parts = application.build(self.qt, AppPaths(*(home / name for name in names)))
        self.window = self.parts.window
        self.window.resize(1208, 800)
        self.window.show()
        engines = self.parts.engines
        if busy:
            self.parts.settings.update(engine=EngineOptions(threads=1))
        engines.add_model(str(path), load=True)
        wait_for(lambda: engines.state().status == "ready")
        self._jobs = itertools.count(1_000_000)

    def now(self) -> float:
        """Return seconds on the wall, or of processor time of this program and its engine."""
        if not self.busy:
            return CLOCK()
        engines = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
        return time.process_time() + sum(used.user + used.system for used in engines)

    def text(self, tokens: int, number: int) -> str:
        """Return a text of so many tokens that no other number begins with."""
        words = (f"{chr(97 + (n * 7 + number) % 26)}at{n % 10}" for n in range(2 * tokens))
        found: list[Asked] = []
        self.parts.bridge.batch_received.connect(found.extend)
        whole, job = " ".join(words), next(self._jobs)
        self.parts.engines.ask(job, lambda client, _: client.tokenize(whole), CancelToken())

        def mine() -> Any:  # noqa: ANN401  whatever an operation returns
            return [one.result for one in found if isinstance(one, Asked) and one.job == job]

        wait_for(lambda: bool(mine()))
        self.parts.bridge.batch_received.disconnect(found.extend)
        return "".join(piece.text for piece in mine()[0][:tokens])

    def answer(self, text: str) -> str:
        """Ask in a new chat; return the id of the answer once it is complete."""
        chats = self.parts.chats
        self.window.open_page("chat")
        chats.new_chat()
        chats.set_sampling(SamplingParams(temperature=0, max_tokens=WRITTEN))
        chats.send(text)
        wait_for(lambda: bool(chats.current().messages) and not chats.answering)
        wait_for(lambda: self.parts.engines.state().status == "ready")
        return chats.current().messages[-1].id

    @property
    def page(self) -> InsidePage:
        """The Inside page."""
        page = self.window.open_page("inside")
        assert isinstance(page, InsidePage)
        return page

    @property
    def controller(self) -> InsideController:
        """What answers the page."""
        found = self.window.findChild(InsideController)
        assert found is not None
        return found

    def painted_s(self, act: Callable[[], object]) -> float:
        """Do something that shows another place; return the seconds until its chances are seen."""
        loop, controller = QEventLoop(), self.controller
        ends: list[float] = []

        def end() -> None:
            ends.append(self.now())
            loop.quit()

        def on_found(question: object, _finding: object) -> None:
            subject = controller.subject()
            here = isinstance(question, AskNext) and subject is not None
            if here and question.token_ids == subject.ids_before and not ends:  # type: ignore[union-attr]
                QTimer.singleShot(0, end)  # after what is painted now

        controller.found.connect(on_found)
        QTimer.singleShot(300_000, loop.quit)
        began = self.now()
        act()
        loop.exec()
        controller.found.disconnect(on_found)
        return ends[0] - began

    def open(self, message_id: str) -> None:
        """Look at a word of an answer, as a click on it does, or at the end of the question.

        Most tokens of a random model have no text, so its answer may have no word.
        """
        question, view = self.parts.chats.current().messages[-2:]
        words = (word for word in view.text.split() if word.isascii() and word.isalnum())
        word = next(words, "")
        self.parts.column.inside_requested.emit(message_id if word else question.id, word, 0)

    def close(self) -> None:
        """End everything."""
        self.window.close()
        self.parts.close()


def measure(
    engine: str,
    path: Path,
    home: Path,
    seconds: float,
    line: Callable[..., bool],
    *,
    busy: bool,
) -> bool:
    """Measure one engine; return whether all targets are met."""
    bench = Bench(path, home, busy=busy)
    try:
        met = opening(engine, bench, line)
        for length in LENGTHS:
            met &= lag(engine, bench, length, seconds, line)
    finally:
        bench.close()
    return met


def opening(engine: str, bench: Bench, line: Callable[..., bool]) -> bool:
    """Time the opening from a word of a chat, and the steps to other words."""
    text = bench.text(LENGTHS[0], 1)
    message = bench.answer(text)
    first = _first(bench, message)
    line(engine, "the first opening of the page", f"{first:.0f} ms", [first], met=None)
    opened, stepped, fresh = [], [], []
    for number in range(3):
        message = bench.answer(bench.text(LENGTHS[0], 2 + number))
        opened.append(bench.painted_s(lambda message=message: bench.open(message)) * 1000)
        for _ in range(3):
            place = bench.controller.subject().chosen - 3  # type: ignore[union-attr]
            stepped.append(bench.painted_s(lambda p=place: bench.page.place_chosen.emit(p)) * 1000)
        own = bench.text(LENGTHS[0], 12 + number)
        fresh.append(bench.painted_s(lambda own=own: bench.page.text_given.emit(own)) * 1000)
    middle = statistics.median(fresh)
    line(engine, "panel opens, text not read before", f"{middle:.0f} ms", fresh, met=None)
    met = True
    for name, found in (("panel opens from a chat", opened), ("step to another word", stepped)):
        middle = statistics.median(found)
        words = f"{middle:.0f} of {OPEN_MS:.0f} ms"
        met &= line(engine, name, words, found, met=middle <= OPEN_MS)
    return met


def _first(bench: Bench, message: str) -> float:
    """Open the page for the first time; return the milliseconds until a text is shown."""
    began = bench.now()
    bench.open(message)
    wait_for(lambda: bench.controller.subject() is not None, each_ms=2)
    return (bench.now() - began) * 1000


def lag(engine: str, bench: Bench, length: int, seconds: float, line: Callable[..., bool]) -> bool:
    """Do what a person does with a text of that length; note how late the event loop is."""
    page, text = bench.page, bench.text(length, length)
    page.open_view("next_word")
    every: list[float] = []

    def busy() -> bool:
        return bench.controller.busy

    def act(
        name: str,
        each_ms: int,
        step: Callable[[int], object],
        until: Callable[[], bool] = lambda: True,
    ) -> None:
        heart, loop, timer, end = Heart(), QEventLoop(), QTimer(), QTimer()
        count = itertools.count()
        timer.setInterval(each_ms)
        timer.timeout.connect(lambda: step(next(count)))
        end.timeout.connect(lambda: loop.quit() if until() else None)
        end.start(round(seconds * 1000))
        heart.start()
        timer.start()
        loop.exec()
        end.stop()
        timer.stop()
        heart.stop()
        late, other = heart.late_ms, heart.busy_ms
        if bench.busy:
            late, other = other, late
        every.extend(late)
        words = f"p99 {percentile(late, 0.99):.1f}, worst {max(late):.0f} ms"
        line(engine, f"  {length}: {name}", words, [percentile(other, 0.99)], met=None)

    act("nothing", 1_000, lambda _n: None)
    page.text_given.emit(text)
    act("a new text is read", 1_000, lambda _n: None)
    wait_for(lambda: bench.controller.subject() is not None)
    act("stepping through words", 150, lambda n: page.place_chosen.emit(length - 40 + n % 39))
    act("sliders", 16, lambda n: _slide(bench, n))
    act("views", 700, lambda n: page.open_view(VIEWS[n % len(VIEWS)]))
    for view, names in HOVERED.items():
        page.open_view(view)
        if length == min(LENGTHS):
            act(f"figures of {view} come", 1_000, lambda _n: None, until=lambda: not busy())
        act(f"the pointer in {view}", 16, lambda n, names=names: _hover(bench, names, n))
    page.open_view("attention")
    act("attention of other layers", 400, lambda n: _layer(bench, n))
    act("lines and their threshold", 60, lambda n: _threshold(bench, n))
    p99 = percentile(every, 0.99)
    words = f"{p99:.1f} of {LATE_MS:.0f} ms"
    return line(
        engine, f"event loop late (p99), {length} tokens", words, [max(every)], met=p99 <= LATE_MS
    )


def _find(bench: Bench, kind: type[Any], name: str) -> Any:  # noqa: ANN401  a widget of that kind
    return bench.window.findChild(kind, name)


def _slide(bench: Bench, count: int) -> None:
    names = ("live_temperature", "live_top_k", "live_top_p", "live_min_p")
    row = _find(bench, QWidget, names[(count // 60) % len(names)])
    slider = row.findChild(QSlider)
    span = slider.maximum() - slider.minimum()
    slider.setValue(slider.minimum() + abs(count * 7 % (2 * span or 1) - span))


def _hover(bench: Bench, names: tuple[str, ...], count: int) -> None:
    widget = _find(bench, QWidget, names[(count // 30) % len(names)])
    seen = widget.visibleRegion().boundingRect()
    if seen.isEmpty():
        return
    x = seen.left() + count * 11 % seen.width()
    y = seen.top() + count * 5 % seen.height()
    spot = QPointF(x, y)
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        spot,
        QPointF(widget.mapToGlobal(spot.toPoint())),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


def _layer(bench: Bench, count: int) -> None:
    combo = _find(bench, QComboBox, "attention_layer")
    combo.setCurrentIndex(count % max(1, combo.count()))
    combo.activated.emit(combo.currentIndex())


def _threshold(bench: Bench, count: int) -> None:
    if count == 0:
        _find(bench, QWidget, "attention_shape_lines").click()
    slider = _find(bench, QSlider, "attention_threshold")
    slider.setValue(1 + count % 50)
