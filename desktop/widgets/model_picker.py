"""The chip that names the model of a chat, and the list it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QListView,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from desktop.itemmodels.models import InstalledModelsList
from desktop.values import EngineState, InstalledModel, Models
from desktop.widgets import formatting
from desktop.widgets.controls import KeyCap, label, rule
from desktop.widgets.enter import PressedByEnter
from desktop.widgets.focus_ring import RING_PROPERTY
from desktop.widgets.icons import INLINE, paint_icon
from desktop.widgets.inputs import SearchField
from desktop.widgets.model_delegate import ModelDelegate, kind_words, paint_dot
from desktop.widgets.overlay import FloatFrame, Overlay
from desktop.widgets.shadow import shadow_margin

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_WIDTH = 372
_MAX_NAME = 220
_MOST_HEIGHT = 330


class ModelPopup(FloatFrame):
    """Search field over the installed models; arrows choose, Enter takes.

    Signals:
        model_chosen: Model id.
    """

    model_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name="model_popup", parent=parent)
        self.setAccessibleName(self.tr("Choose a model"))
        self.items = InstalledModelsList(self)
        self._search = SearchField(self.tr("Choose a model"), theme, name="model_search")
        self._search.textChanged.connect(self._on_typed)
        self._search.installEventFilter(self)
        self._delegate = ModelDelegate(theme, "picker", self)
        self._view = QListView()
        self._view.setObjectName("model_rows")
        self._view.setAccessibleName(self.tr("Installed models"))
        self._view.setModel(self.items)
        self._view.setItemDelegate(self._delegate)
        self._view.setMouseTracking(True)
        # Rows have two heights, so each is asked for its own: some at a time where there are many.
        self._view.setLayoutMode(QListView.LayoutMode.Batched)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field keeps the keyboard
        self._view.clicked.connect(self._on_row_clicked)
        self._nothing = label("", theme, "small", "text3", name="model_nothing")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()
        self._build(theme)
        self.setFocusProxy(self._search)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        super().set_theme(theme)
        self._delegate.set_theme(theme)
        self._view.viewport().update()

    def prepare(self, current_id: str) -> None:
        """Empty the field, choose the current row, and take the height the rows need."""
        self._search.clear()
        current = self.items.row_of(current_id)
        current = current if current >= 0 else self.items.first_row()
        self._view.setCurrentIndex(self.items.index(current))
        height = row = 0
        while height < _MOST_HEIGHT and row < self.items.rowCount():
            height += self._view.sizeHintForRow(row)
            row += 1
        self._view.setFixedHeight(max(46, min(height, _MOST_HEIGHT)))
        self._nothing.setFixedHeight(self._view.height())  # the list keeps its size under the words
        self.adjustSize()

    def _show_rows(self) -> None:
        none = self.items.first_row() < 0
        if none:
            nothing = self.tr("No installed model is called like that.")
            looking = self.tr("Looking for models on this computer")
            self._nothing.setText(nothing if self._search.text() else looking)
        self._nothing.setVisible(none)
        self._view.setVisible(not none)

    def set_models(self, models: Models) -> None:
        """Show these models."""
        self.items.set_models(models)
        self._show_rows()

    def _build(self, theme: Theme) -> None:
        inner = QVBoxLayout()
        inner.setContentsMargins(8, 8, 8, 6)
        inner.setSpacing(4)
        inner.addWidget(self._search)
        inner.addWidget(self._view)
        inner.addWidget(self._nothing)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 6, 12, 8)
        foot.setSpacing(6)
        for keys, words in ((("Up", "Down"), self.tr("choose")), (("Return",), self.tr("use"))):
            for key in keys:
                foot.addWidget(KeyCap(key, theme))
            foot.addWidget(label(words, theme, "small", "text3"))
            foot.addSpacing(8)
        foot.addStretch(1)
        foot.addWidget(KeyCap("Ctrl+M", theme))
        foot.addWidget(label(self.tr("opens this"), theme, "small", "text3"))
        self.body.addLayout(inner)
        self.body.addWidget(rule())
        self.body.addLayout(foot)
        self.setFixedWidth(_WIDTH + 2 * shadow_margin("float"))

    def _on_typed(self, words: str) -> None:
        self.items.set_words(words)
        self._show_rows()
        self._view.setCurrentIndex(self.items.index(self.items.first_row()))

    def _on_row_clicked(self, index: QModelIndex) -> None:
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        model = self.items.model_at(index)
        if model is not None and not model.info.problem:
            self.model_chosen.emit(model.info.id)

    def _step(self, by: int) -> None:
        row = self._view.currentIndex().row() + by
        while 0 <= row < self.items.rowCount():
            if self.items.model_at(self.items.index(row)) is not None:
                self._view.setCurrentIndex(self.items.index(row))
                return
            row += by

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Watch what this widget cares about elsewhere."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() == Qt.Key.Key_Down:
            self._step(1)
        elif event.key() == Qt.Key.Key_Up:
            self._step(-1)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._choose(self._view.currentIndex())
        else:
            return False
        return True


class ModelPicker(PressedByEnter, QAbstractButton):
    """A chip of 30 pixels: where the model is, its name, its form; opens the list above itself.

    Signals:
        model_chosen: Model id.
        cancel_asked: Esc while a model is loading.
        list_closed: The list went, whether a model was chosen or not.
    """

    model_chosen = Signal(str)
    cancel_asked = Signal()
    list_closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._models = Models()
        self._state = EngineState()
        self._overlay: Overlay | None = None
        self._popup: ModelPopup | None = None
        self.setObjectName("model_picker")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty(RING_PROPERTY, True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.open_list)
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_models(self, models: Models) -> None:
        """Show these models in the list."""
        self._models = models
        if self._popup is not None:
            self._popup.set_models(models)

    def set_engine(self, state: EngineState) -> None:
        """Show what the engine does with which model."""
        self._state = state
        self._refresh()

    def open_list(self) -> None:
        """Open the list of models above the chip."""
        popup, overlay = self._made()
        popup.set_models(self._models)
        model = self._state.model
        popup.prepare(model.id if model is not None else "")
        corner = self.mapTo(self.window(), QPoint(0, 0))
        margin = shadow_margin("float")
        area = overlay.parentWidget()
        corner = area.mapFrom(self.window(), corner) if area is not None else corner
        above = corner.y() - popup.height() + margin - 6
        below = corner.y() + self.height() + 6 - margin
        overlay.open_at(popup, QPoint(corner.x() - margin, above if above >= -margin else below))

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        theme = self._theme
        name = QFontMetrics(theme.font("body_medium")).horizontalAdvance(self._name())
        form = QFontMetrics(theme.font("small", tabular=True)).horizontalAdvance(self._form())
        width = 26 + min(name, _MAX_NAME) + (form + 8 if form else 0) + 30
        return QSize(width, 30)

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(90, 30)

    def _made(self) -> tuple[ModelPopup, Overlay]:
        if self._popup is None or self._overlay is None:
            area = self.window().findChild(QFrame, "content") or self.window()
            self._overlay = Overlay(area, self._theme, name="model_overlay", scrim=False)
            self._popup = ModelPopup(self._theme, self._overlay)
            self._popup.hide()
            self._popup.model_chosen.connect(self._on_chosen)
            self._overlay.closed.connect(self.list_closed)
        return self._popup, self._overlay

    def _on_chosen(self, model_id: str) -> None:
        if self._overlay is not None:
            self._overlay.close_content()
        self.model_chosen.emit(model_id)

    def _name(self) -> str:
        model = self._state.model
        return model.name if model is not None else self.tr("Choose a model")

    def _form(self) -> str:
        state = self._state
        if state.model is None:
            return ""
        if state.status == "loading":
            return formatting.percent(round(state.progress, 2))
        if state.status == "stopped":
            return self.tr("stopped")
        if state.model.kind == "unknown":
            return state.model.quantization
        return f"{kind_words(state.model)}, {state.model.quantization}"

    def _refresh(self) -> None:
        self.setAccessibleName(self.tr("Model: {0}").format(self._name()))
        self.setAccessibleDescription(self._form())
        self.setToolTip(self.tr("Choose a model") + "  Ctrl+M")
        self.updateGeometry()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys it knows."""
        if event.key() == Qt.Key.Key_Escape and self._state.status == "loading":
            self.cancel_asked.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.line_strong))
        ground = theme.pressed if self.isDown() else theme.hover
        painter.setBrush(ground if self.underMouse() or self.isDown() else theme.raised)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        model = self._state.model
        row = InstalledModel(model, self._state.status) if model is not None else None
        dot = QRectF(self._at(10, 9))
        paint_dot(painter, QRectF(dot.x(), self.height() / 2 - 4.5, 9, 9), row, theme)
        font = theme.font("body_medium")
        form = self._form()
        small = theme.font("small", tabular=True)
        form_width = QFontMetrics(small).horizontalAdvance(form)
        room = self.width() - 26 - 28 - (form_width + 8 if form else 0)
        if room < min(60, QFontMetrics(font).horizontalAdvance(self._name())) and form:
            form, room = "", self.width() - 26 - 28
        name = QFontMetrics(font).elidedText(self._name(), Qt.TextElideMode.ElideRight, room)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute
        align |= QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
        painter.setFont(font)
        painter.setPen(theme.text)
        painter.drawText(self._at(26, room), align, name)
        if form:
            left = 26 + QFontMetrics(font).horizontalAdvance(name) + 8
            painter.setFont(small)
            painter.setPen(theme.text3)
            painter.drawText(self._at(left, form_width + 4), align, form)
        paint_icon(painter, "chevron-down", theme.text2, self._at(self.width() - 24, INLINE))
        painter.end()

    def _at(self, left: int, width: int) -> QRect:
        """A place in the chip; counted from the right where one reads from there."""
        place = QRect(left, 0, width, self.height())
        return QStyle.visualRect(self.layoutDirection(), self.rect(), place)
