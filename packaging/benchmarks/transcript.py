"""Does the window stay quick while a very long answer streams in?

Feeds 20,000 tokens of mixed Markdown at 500 tokens/s from a thread through the real
``EventBridge`` into the real ``ChatColumn``, while a timer beats every millisecond in the GUI
thread. Prints how late the beats were (the event loop's lag), the processor time each batch took,
and the memory on the way. Run it with a display, or with ``QT_QPA_PLATFORM=offscreen``.

    python packaging/benchmarks/transcript.py [--tokens 20000] [--rate 500] [--kind mixed]
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import threading
import time
from pathlib import Path

import psutil
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.bridge.event_bridge import EventBridge
from desktop.values import ChatDetail, MessageView
from desktop.views.chat_column import ChatColumn
from desktop.widgets import fonts
from desktop.widgets.theme_manager import ThemeManager
from inference.events import TokenEvent
from inference.types import SamplingParams

P99_MS = 16.0
WORST_MS = 50.0
WORDS = (
    *("the", "bread", "dough", "rises", "when", "yeast", "eats", "sugar", "and", "gives", "gas"),
    *("while", "gluten", "holds", "it", "in", "place", "so", "that", "a", "**firm**", "crumb"),
    *("*thin*", "crust", "appear", "after", "`forty`", "minutes", "oven"),
)


def paragraph(rng: random.Random) -> str:
    """Return some sentences."""
    words = [rng.choice(WORDS) for _ in range(rng.randint(40, 160))]
    return " ".join(words).capitalize() + ".\n\n"


def code(rng: random.Random) -> str:
    """Return a fenced function."""
    lines = [f"    total += weigh({n}, 'part {n}')  # step {n}" for n in range(rng.randint(5, 40))]
    return "\n".join(["```python", "def bake(total: int) -> int:", *lines, "```", "", ""])


def table(rng: random.Random) -> str:
    """Return a table."""
    rows = [f"| {n} | {n * 17} | some words |" for n in range(rng.randint(3, 15))]
    return "\n".join(["| day | grams | note |", "|---|--:|---|", *rows, "", ""])


def listing(rng: random.Random) -> str:
    """Return a list with some depth."""
    items = [
        f"{'  ' * (n % 3 == 2)}- {' '.join(rng.choices(WORDS, k=12))}"
        for n in range(rng.randint(3, 12))
    ]
    return "\n".join([*items, "", ""])


def heading(rng: random.Random) -> str:
    """Return a heading."""
    return f"## {' '.join(rng.choices(WORDS, k=4))}\n\n"


def answer(kind: str, tokens: int) -> list[str]:
    """Return an answer as pieces of about four characters, ``tokens`` of them."""
    rng = random.Random(7)
    makers = {
        "mixed": [paragraph, paragraph, code, table, listing, heading],
        "paragraph": [lambda r: paragraph(r).strip() + " "],
        "code": [lambda r: code(r).removeprefix("```python\n").removesuffix("```\n\n")],
    }[kind]
    text = "```python\n" if kind == "code" else ""
    while len(text) < 4 * tokens:
        text += rng.choice(makers)(rng)
    return [text[4 * n : 4 * n + 4] for n in range(tokens)]


class Heart(QObject):
    """A timer that beats every millisecond and notes how late each beat was."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ms: list[float] = []
        self.busy_ms: list[float] = []
        self.at_s: list[float] = []
        self._start = 0.0
        self._last = self._last_busy = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._on_beat)

    def start(self) -> None:
        """Begin."""
        self._last, self._last_busy = time.perf_counter(), time.thread_time()
        self._start = self._last
        self._timer.start()

    def stop(self) -> None:
        """End."""
        self._timer.stop()

    def _on_beat(self) -> None:
        now = time.perf_counter()
        busy = time.thread_time()
        self.late_ms.append(max(0.0, (now - self._last) * 1000 - 1))
        self.busy_ms.append((busy - self._last_busy) * 1000)
        self.at_s.append(now - self._start)
        self._last, self._last_busy = now, busy


class Run(QObject):
    """One answer on its way through bridge and column."""

    def __init__(self, column: ChatColumn, pieces: list[str], rate: float) -> None:
        super().__init__()
        self.column = column
        self.pieces = pieces
        self.rate = rate
        self.heart = Heart()
        self.bridge = EventBridge(self)
        self.bridge.batch_received.connect(self._on_batch)
        self.cpu_ms: list[float] = []
        self.memory_mb: dict[int, float] = {}
        self._process = psutil.Process()
        self._done = threading.Event()

    def start(self) -> None:
        """Begin to feed."""
        self.memory_mb[0] = self._process.memory_info().rss / 1e6
        self.heart.start()
        threading.Thread(target=self._feed, daemon=True).start()

    def _feed(self) -> None:
        start = time.perf_counter()
        for index, piece in enumerate(self.pieces):
            wait = start + index / self.rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            self.bridge.post(TokenEvent("r", index, 1, piece))
        self._done.set()

    def _on_batch(self, events: tuple[object, ...]) -> None:
        begin = time.thread_time()
        for event in events:
            if isinstance(event, TokenEvent):
                self.column.append_text("a", event.text)
        self.cpu_ms.append((time.thread_time() - begin) * 1000)
        step = len(self.pieces) // 4
        mark = (self._shown_tokens() // step) * step
        if mark and mark not in self.memory_mb:
            self.memory_mb[mark] = self._process.memory_info().rss / 1e6
        if self._done.is_set() and self._shown_tokens() >= len(self.pieces):
            QTimer.singleShot(300, self._end)

    def _shown_tokens(self) -> int:
        widget = self.column.transcript.widget_of("a")
        return widget.text_length() // 4 if widget is not None else 0

    def _end(self) -> None:
        self.heart.stop()
        QApplication.quit()


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(run: Run, idle: Heart, wall_s: float, cpu_s: float) -> bool:
    """Print the figures; return whether the targets are met."""
    late, cpu = run.heart.late_ms, run.cpu_ms
    p99, worst = percentile(late, 0.99), max(late)
    print(f"tokens {len(run.pieces)}, {len(run.pieces) / wall_s:.0f} tokens/s, {len(cpu)} batches")
    print(f"lag ms: p50 {percentile(late, 0.5):.1f}, p99 {p99:.1f}, worst {worst:.1f}")
    busy, at_s = run.heart.busy_ms, run.heart.at_s
    for beat in sorted(range(len(late)), key=late.__getitem__)[-4:]:
        print(f"  late {late[beat]:.0f} ms, {busy[beat]:.0f} ms of it ours, at {at_s[beat]:.2f} s")
    print(
        f"of it our own processor time ms: p99 {percentile(busy, 0.99):.1f}, worst {max(busy):.1f}"
    )
    print(f"the same beats without an answer: p99 {percentile(idle.late_ms, 0.99):.1f} ms,")
    print(f"  worst {max(idle.late_ms):.1f} ms (what else this computer does)")
    print(f"beats later than 16 ms: {sum(value > 16 for value in late)} of {len(late)}")
    quarter = max(1, len(cpu) // 4)
    first, last = sum(cpu[:quarter]) / quarter, sum(cpu[-quarter:]) / quarter
    print(f"processor ms a batch: mean {sum(cpu) / len(cpu):.2f}, p99 {percentile(cpu, 0.99):.1f},")
    print(f"  worst {max(cpu):.1f}, first quarter {first:.2f}, last quarter {last:.2f}")
    print(f"processor share of the whole process: {cpu_s / wall_s:.0%}")
    marks = sorted(run.memory_mb)
    print("memory MB: " + ", ".join(f"{mark}: {run.memory_mb[mark]:.1f}" for mark in marks))
    print(f"live widgets: {len(QApplication.allWidgets())}")
    return p99 <= P99_MS and worst <= WORST_MS


def main() -> int:
    """Run once; 0 where the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--kind", choices=("mixed", "paragraph", "code"), default="mixed")
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    fonts.load_start_faces()
    column = ChatColumn(ThemeManager(app))
    column.resize(960, 720)
    question = MessageView("q", "c", "user", "Tell me everything about bread.")
    waiting = MessageView("a", "c", "assistant", "", state="waiting", model_name="Bench")
    chat = ChatDetail("c", "Bench", (question, waiting), "m", "", SamplingParams())
    column.open_chat(chat)
    column.show()
    run = Run(column, answer(options.kind, options.tokens), options.rate)
    times: list[tuple[float, float]] = []

    idle = Heart()

    def begin() -> None:
        idle.stop()
        gc.collect()
        times.append((time.perf_counter(), time.process_time()))
        run.start()

    QTimer.singleShot(1_000, idle.start)
    QTimer.singleShot(4_000, begin)
    app.exec()
    wall_s, cpu_s = time.perf_counter() - times[0][0], time.process_time() - times[0][1]
    return 0 if report(run, idle, wall_s, cpu_s) else 1


if __name__ == "__main__":
    sys.exit(main())
