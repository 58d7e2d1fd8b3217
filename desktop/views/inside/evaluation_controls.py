"""What stands beside the Evaluation view: how texts are cut, and the models to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.itemmodels.ticked_models import TickedModels
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label
from desktop.widgets.inputs import Combo, SearchField
from desktop.widgets.row_list import RowList
from desktop.widgets.tick_delegate import TickDelegate

if TYPE_CHECKING:
    from desktop.values import Models
    from desktop.widgets.theme import Theme
    from inference.inside.perplexity import Method
    from inference.types import ModelInfo

_WINDOWS: Final = (128, 256, 512, 1024, 2048, 4096)


class EvaluationControls(QWidget):
    """Method, window, and a list of installed models with boxes to tick.

    Signals:
        cut_changed: Method or window are others.
        ticks_changed: Other models are ticked.
    """

    cut_changed = Signal()
    ticks_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("evaluation_controls")
        self._method = Combo(self.tr("Method"), theme, name="evaluation_method")
        self._method.addItem(self.tr("Windows that overlap"), "overlap")
        self._method.addItem(self.tr("As llama.cpp does"), "llama.cpp")
        self._method.activated.connect(self._on_cut)
        self._window = Combo(self.tr("Window"), theme, name="evaluation_window")
        self._window.addItem(self.tr("Usual window"), 0)
        for size in _WINDOWS:
            self._window.addItem(
                self.tr("Window of {0} tokens").format(formatting.count(size)), size
            )
        self._window.activated.connect(self._on_cut)
        self._help = label("", theme, "small", "text3", wrap=True, name="evaluation_method_help")
        self.models = TickedModels(self)
        self.models.ticks_changed.connect(self.ticks_changed)
        self.models.ticks_changed.connect(self._say_count)
        self._search = SearchField(self.tr("Find a model"), theme, name="evaluation_find")
        self._search.textChanged.connect(self.models.set_words)
        self.list = RowList(theme, name="evaluation_models", words=self.tr("Models to compare"))
        self.list.setModel(self.models)
        self.list.setItemDelegate(TickDelegate(theme, self.list))
        self._count = label("", theme, "small", "text2", name="evaluation_ticked")
        self._none = Button(
            self.tr("Untick all"), theme, kind="link", name="evaluation_untick", small=True
        )
        self._none.clicked.connect(self._untick)
        self._build(theme)
        self._say_help()
        self._say_count()

    def _build(self, theme: Theme) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(8)
        column.addWidget(label(self.tr("How the text is read"), theme, "heading"))
        column.addWidget(self._method)
        column.addWidget(self._window)
        column.addWidget(self._help)
        column.addSpacing(8)
        column.addWidget(label(self.tr("Models to compare"), theme, "heading"))
        column.addWidget(self._search)
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self._none)
        column.addLayout(row)

    # --- what is chosen --------------------------------------------------------------------

    def method(self) -> Method:
        """Return how texts are cut."""
        return "llama.cpp" if self._method.currentData() == "llama.cpp" else "overlap"

    def window_asked(self) -> int | None:
        """Return the tokens of a window; ``None`` leaves them to the method and the models."""
        return int(self._window.currentData()) or None

    def ticked(self) -> tuple[ModelInfo, ...]:
        """Return the models to compare."""
        return self.models.ticked()

    def set_models(self, models: Models) -> None:
        """Show what is installed."""
        self.models.set_models(models)
        self.models.keep_only({row.info.id for row in models.rows})

    def _untick(self) -> None:
        for info in self.models.ticked():
            self.models.tick(info, on=False)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_cut(self) -> None:
        self._say_help()
        self.cut_changed.emit()

    def _say_help(self) -> None:
        if self.method() == "llama.cpp":
            how = self.tr(
                "Windows stand side by side, and of each the second half is scored: the figures "
                "can be held against those that others publish. Usual: 512 tokens."
            )
        else:
            how = self.tr(
                "Each token is scored once, with at least half a window before it. Usual: the "
                "whole context for one text; 512 tokens where models are compared."
            )
        self._help.setText(how)

    def _say_count(self) -> None:
        count = len(self.models.ticked())
        self._count.setText(
            self.tr("{0} ticked").format(formatting.count(count))
            if count
            else self.tr("Tick two or more.")
        )
        self._none.setVisible(bool(count))
