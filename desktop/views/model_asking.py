"""What new chats with one model begin with: its system prompt and how it draws its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.views import sampling
from desktop.widgets.controls import Button, label, rule
from desktop.widgets.text_area import TextArea
from desktop.widgets.value_row import ValueRow

if TYPE_CHECKING:
    from desktop.store.settings import Settings
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import SamplingParams

_SETTLE_MS: Final = 600


class ModelAsking(QWidget):
    """Shows and changes what is kept for new chats.

    Args:
        theme: Fonts.

    Signals:
        changed: Field of ``ModelDefaults`` and its value; ``None`` = as in the settings.
    """

    changed = Signal(str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model_id = ""
        self._sampling: SamplingParams | None = None
        self._kept: str | None = None
        self._general = ""
        self._typed = False
        self.setObjectName("model_asking")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self._prompt = TextArea(theme, name="default_prompt", title=self.tr("System prompt"))
        self._prompt.setFixedHeight(78)
        self._prompt.textChanged.connect(self._on_typed)
        specs = (replace(spec, name=f"model_{spec.name}") for spec in sampling.value_specs())
        self._rows = tuple(ValueRow(spec, theme) for spec in specs)
        for row, field in zip(self._rows, sampling.FIELDS, strict=True):
            row.value_changed.connect(lambda value, f=field: self._keep(f, value))
        self._prompt_reset = self._link("default_prompt_reset", self.tr("Reset the system prompt"))
        self._prompt_reset.clicked.connect(lambda: self._reset("system_prompt"))
        self._draw_reset = self._link("default_sampling_reset", self.tr("Reset how it draws"))
        self._draw_reset.clicked.connect(lambda: self._reset("sampling"))
        self._build()

    def show_model(self, model: InstalledModel, settings: Settings) -> None:
        """Show what is kept for it, and the general settings where nothing is."""
        if model.info.id != self._model_id:
            self.flush()
            self._model_id = model.info.id
        defaults = model.note.defaults if model.note is not None else None
        kept = defaults.system_prompt if defaults is not None else None
        drawn = defaults.sampling if defaults is not None else None
        text = settings.system_prompt if kept is None else kept
        self._kept, self._general = kept, settings.system_prompt
        if not self._typed and self._prompt.toPlainText() != text:
            with QSignalBlocker(self._prompt):
                self._prompt.setPlainText(text)
        self._sampling = drawn or settings.sampling
        for row, field in zip(self._rows, sampling.FIELDS, strict=True):
            row.set_value(float(getattr(self._sampling, field)))
        self._prompt_reset.setVisible(kept is not None)
        self._draw_reset.setVisible(drawn is not None)

    def flush(self) -> None:
        """Keep what was typed and not yet kept."""
        self._settle.stop()
        if self._typed:
            self._typed = False
            text = self._prompt.toPlainText()
            if text != (self._general if self._kept is None else self._kept):
                self.changed.emit("system_prompt", text)

    def _on_typed(self) -> None:
        self._typed = True
        self._settle.start()

    def _reset(self, field: str) -> None:
        self._settle.stop()
        self._typed = False
        self.changed.emit(field, None)

    def _keep(self, field: str, value: float) -> None:
        if self._sampling is None:
            return
        number = int(value) if field == "top_k" else round(value, 2)
        changed = msgspec.structs.replace(self._sampling, **{field: number})
        if changed != self._sampling:
            self.changed.emit("sampling", changed)

    def _link(self, name: str, words: str) -> Button:
        link = Button(words, self._theme, kind="link", name=name)
        link.setFont(self._theme.font("small"))
        return link

    def _build(self) -> None:
        theme = self._theme
        card = QFrame()
        card.setProperty("part", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(16, 12, 16, 14)
        inside.setSpacing(6)
        inside.addLayout(self._line(self.tr("System prompt"), self._prompt_reset))
        inside.addWidget(self._prompt)
        words = self.tr("Put before every message of a new chat with this model.")
        inside.addWidget(label(words, theme, "small", "text3", wrap=True))
        inside.addSpacing(6)
        inside.addWidget(rule())
        inside.addSpacing(6)
        inside.addLayout(self._line(self.tr("How it draws its words"), self._draw_reset))
        for row in self._rows:
            inside.addWidget(row)
            inside.addSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(self.tr("New chats with it"), theme, "heading"))
        column.addWidget(card)

    def _line(self, title: str, link: Button) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(label(title, self._theme, "body_strong"))
        row.addStretch(1)
        row.addWidget(link)
        return row
