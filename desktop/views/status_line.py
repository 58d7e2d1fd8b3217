"""The line at the foot: speed, first word, context, engine, device, memory; all of it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import label, set_tone
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.values import AnswerStats, EngineState
    from desktop.widgets.theme import Theme

# The context is beside the composer, too; speed and state are nowhere else.
_LEAST_NEEDED: Final = (
    "requests",
    "engine",
    "device",
    "guesses",
    "first",
    "context",
    "memory",
    "next",
    "speed",
)


class StatusLine(QFrame):
    """Says what the engine does and what the last answer measured."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status_line")
        self.setAccessibleName(self.tr("Status"))
        self.setProperty("ground", "side")
        self.setProperty("edge", "top")
        self.setFixedHeight(layout("status"))
        self._stats: AnswerStats | None = None
        self._state: EngineState | None = None
        self._cells: dict[str, QLabel] = {}
        row = QHBoxLayout(self)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # cells go, it never pushes
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(18)
        for name in ("state", "next", "speed", "guesses", "first", "context", "engine", "device"):
            row.addWidget(self._cell(name, theme))
        row.addStretch(1)
        row.addWidget(self._cell("memory", theme))
        row.addWidget(self._cell("requests", theme))
        self.set_requests(0)

    def set_engine(self, state: EngineState) -> None:
        """Show what the engine does, where, and with how much memory."""
        self._state = state
        self._refresh()

    def set_stats(self, stats: AnswerStats | None) -> None:
        """Show what an answer measured; ``None`` = nothing yet."""
        self._stats = stats
        self._refresh()

    def set_requests(self, count: int) -> None:
        """Show how often the network was asked; the settings list each time."""
        words = self.tr("1 network request") if count == 1 else self.tr("{0} network requests")
        tip = self.tr("Since the start. Settings, Network lists them.")
        self._set("requests", words.format(formatting.count(count)), tip)
        self._fit()

    def _cell(self, name: str, theme: Theme) -> QLabel:
        cell = label("", theme, "small", "text3", name=f"status_{name}")
        cell.setFont(theme.font("small", tabular=True))
        cell.hide()
        self._cells[name] = cell
        return cell

    def _set(self, name: str, text: str, tip: str = "") -> None:
        cell = self._cells[name]
        cell.setText(text)
        cell.setToolTip(tip)
        cell.setAccessibleName(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what matters least where there is little room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Half a number is worse than none: whole cells go, the least needed first."""
        row = self.layout()
        if row is None:
            return
        margins = row.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        shown = [name for name, cell in self._cells.items() if cell.text()]
        for name in (*_LEAST_NEEDED, ""):
            needed = sum(self._cells[one].sizeHint().width() + row.spacing() for one in shown)
            if needed <= room or not name:
                break
            shown = [one for one in shown if one != name]
        for name, cell in self._cells.items():
            cell.setVisible(name in shown)
        row.activate()

    def _refresh(self) -> None:
        self._set("state", self._state_words())
        state = self._state
        set_tone(self._cells["state"], "bad" if state and state.problem else "text3")
        away = state is not None and (state.status == "stopped" or state.rested_min > 0)
        stopped = state is not None and away and state.loaded is None
        self._set("next", self.tr("Loads again with your next message") if stopped else "")
        stats = self._stats
        self._set("speed", formatting.speed(stats.speed) if stats and stats.speed else "")
        guesses = tip = ""
        if stats and stats.guesses_taken is not None:
            taken = formatting.percent(round(stats.guesses_taken, 2))
            guesses = self.tr("{0} of guesses taken").format(taken)
            tip = self.tr("{0} of {1} tokens that were guessed ahead").format(
                formatting.count(stats.accepted_tokens), formatting.count(stats.drafted_tokens)
            )
        self._set("guesses", guesses, tip)
        first = ""
        if stats and stats.first_token_s:
            first = self.tr("First word after {0}").format(formatting.seconds(stats.first_token_s))
        self._set("first", first)
        self._set("context", self._context_words())
        loaded = state.loaded if state else None
        engine = ""
        if loaded is not None:
            engine = self.tr("GGUF engine") if loaded.engine == "gguf" else self.tr("Native engine")
        self._set("engine", engine)
        self._set("device", *self._device_words())
        memory = ""
        if state and state.memory_bytes:
            memory = self.tr("Memory {0}").format(formatting.size(state.memory_bytes))
        self._set("memory", memory, self.tr("Measured: memory of the engine's process"))
        self._fit()

    def _state_words(self) -> str:
        state = self._state
        if state is not None and state.rested_min:
            time = formatting.minutes(state.rested_min)
            return self.tr("Unloaded after {0} without use").format(time)
        if state is None or (state.status == "none" and not state.problem):
            return self.tr("No model in memory")
        name = state.model.name if state.model else self.tr("The model")
        loading = self.tr("Loading {0}, {1}")
        if state.step == "compiling":
            loading = self.tr("Preparing {0} to write faster, {1}")
        words = {
            "none": self.tr("No model in memory"),
            "loading": loading.format(name, formatting.percent(round(state.progress, 2))),
            "ready": self.tr("{0} is ready").format(name) if not self._stats else "",
            "answering": self.tr("Writing"),
            "stopping": self.tr("Stopping"),
            "stopped": self.tr("The engine stopped"),
        }
        return words[state.status]

    def _context_words(self) -> str:
        stats = self._stats
        loaded = self._state.loaded if self._state else None
        total = stats.context_total if stats and stats.context_total else 0
        total = total or (loaded.n_ctx if loaded else 0)
        if not total:
            return ""
        used = stats.context_used if stats else 0
        return self.tr("Context {0} / {1}").format(formatting.count(used), formatting.count(total))

    def _device_words(self) -> tuple[str, str]:
        loaded = self._state.loaded if self._state else None
        if loaded is None:
            return "", ""
        device = self.tr("Processor") if loaded.device.lower() == "cpu" else loaded.device
        if loaded.gpu_layers:
            device = self.tr("{0}, {1} of {2} layers").format(
                device, formatting.count(loaded.gpu_layers), formatting.count(loaded.n_layers)
            )
        return device, loaded.device_reason
