"""Another version of one model: a folder as a GGUF file, or a smaller file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.controllers.making import Making
from desktop.views.settings_rows import SettingsCard, SettingsRow
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label, rule
from desktop.widgets.inputs import Combo
from desktop.widgets.notice import Notice
from inference.convert.places import types_from
from inference.library.quality import quality_of, rough_bytes

if TYPE_CHECKING:
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo

_USUAL: Final = "Q4_K_M"


class ModelMaking(QWidget):
    """Offers types with what they cost, shows the work, and says how it ended.

    Hidden for models of which nothing sensible can be made: damaged or quantised ones.

    Args:
        theme: Fonts.

    Signals:
        make_asked: The chosen type.
        cancel_asked: No argument.
        said: There is a result to be seen at the end of this part.
    """

    make_asked = Signal(str)
    cancel_asked = Signal()
    said = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._info: ModelInfo | None = None
        self._making = Making()
        self.setObjectName("model_making")
        self._type = Combo(self.tr("Type of the weights"), theme, name="making_type")
        self._type.currentIndexChanged.connect(self._say_type)
        self._row = SettingsRow(
            self.tr("Type of the weights"), "", self._type, theme, name="making_row"
        )
        self._make = Button(self.tr("Make it"), theme, name="making_make", icon_name="plus")
        self._make.clicked.connect(self._on_make)
        self._cancel = Button(self.tr("Stop"), theme, name="making_cancel", icon_name="x")
        self._cancel.clicked.connect(self.cancel_asked)
        self._bar = QProgressBar()
        self._bar.setObjectName("making_progress")
        self._bar.setAccessibleName(self.tr("Making another version"))
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._share = label("", theme, "small", "text3", name="making_share")
        self._result = Notice(theme, name="making_result", severity="ok")
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self._make)
        line.addWidget(self._cancel)
        line.addWidget(self._bar, 1)
        line.addWidget(self._share)
        line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 18, 0, 0)
        column.setSpacing(10)
        column.addWidget(rule())
        column.addSpacing(6)
        column.addWidget(SettingsCard(self.tr("Make another version"), [self._row], theme))
        column.addLayout(line)
        column.addWidget(self._result)

    def show_model(self, model: InstalledModel) -> None:
        """Offer what can be made of a model."""
        info = model.info
        if self._info != info:
            self._info = info
            self._type.clear()
            self._type.addItems(types_from(info))
            self._type.setCurrentText(_USUAL)
        self.setVisible(self._type.count() > 0)
        self._show(self._making)

    def show_making(self, making: Making) -> None:
        """Show where the work stands, or how it ended."""
        self._making = making
        if self._show(making):
            self.said.emit()

    def _show(self, making: Making) -> bool:
        """Show it; return whether there is a result to be seen."""
        here = self._info is not None and making.model_id == self._info.id
        busy = making.share is not None
        self._make.setVisible(not (here and busy))
        other = self.tr("A version of another model is being made.")
        self._make.set_reason(other if busy and not here else "")
        for part in (self._cancel, self._bar, self._share):
            part.setVisible(here and busy)
        self._type.setEnabled(not (here and busy))
        if making.share is not None:
            self._bar.setValue(round(making.share * 1000))
            self._share.setText(formatting.percent(round(making.share, 2)))
        self._say_result(making)
        ended = here and bool(making.path or making.problem)
        self._result.setVisible(ended)
        return ended

    def _say_result(self, making: Making) -> None:
        if making.problem is not None:
            problem = making.problem
            text = " ".join(part for part in (problem.message, problem.hint) if part)
            self._result.say(problem.title, text, "bad")
        elif making.path:
            title = self.tr("The new version is in the list.")
            path = making.path.replace("/", "/\u200b")  # may wrap at folders
            self._result.say(title, " ".join((path, *making.notes)), "ok")

    def _say_type(self) -> None:
        info, chosen = self._info, self._type.currentText()
        if info is None or not chosen:
            return
        size = formatting.size(rough_bytes(info.parameters, chosen) or 0)
        words = self.tr("{0}, as a GGUF file: about {1}, derived. This one stays as it is.")
        self._row.say(words.format(quality_of(chosen).words, size))

    def _on_make(self) -> None:
        self.make_asked.emit(self._type.currentText())
