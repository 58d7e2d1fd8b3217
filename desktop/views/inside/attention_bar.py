"""What of the attention is shown: heads taken together, layer, head, shape, part of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.colour_scale import ColourScale
from desktop.widgets.controls import IconButton, label
from desktop.widgets.inputs import Combo, Segments, Slider
from desktop.widgets.wrap_row import WrapRow

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

How = Literal["one", "mean", "max", "rollout"]
Shape = Literal["map", "lines", "all", "scores"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the attention is shown; layer and head count from 0."""

    how: How = "mean"
    layer: int = 0
    head: int = 0


class AttentionBar(QWidget):
    """A line of controls above the figure.

    Signals:
        changed: A ``Choice``.
        shape_chosen: ``map``, ``lines``, ``all`` or ``scores``.
    """

    changed = Signal(object)
    shape_chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._choice = Choice()
        self.n_heads = 0
        self._how = Combo(self.tr("Heads taken together"), theme, name="attention_how")
        for value, words in (
            ("one", self.tr("One head")),
            ("mean", self.tr("Average of heads")),
            ("max", self.tr("Maximum of heads")),
            ("rollout", self.tr("Roll-out")),
        ):
            self._how.addItem(words, value)
        self._how.activated.connect(lambda row: self._on_how(self._how.itemData(row)))
        self._layer = Combo(self.tr("Layer"), theme, name="attention_layer")
        self._head = Combo(self.tr("Head"), theme, name="attention_head")
        self._layer.activated.connect(self._on_place)
        self._head.activated.connect(self._on_place)
        shapes = (
            ("map", self.tr("Heat map")),
            ("lines", self.tr("Lines")),
            ("all", self.tr("All heads")),
            ("scores", self.tr("Scores")),
        )
        self._shape = Segments(self.tr("Shape"), shapes, theme, name="attention_shape")
        self._shape.chosen.connect(self.shape_chosen)
        self._build(theme)
        self._show()

    def _build(self, theme: Theme) -> None:
        self._layer_words = label(self.tr("Layer"), theme, "body", "text2")
        self._head_words = label(self.tr("Head"), theme, "body", "text2")
        chosen = QWidget()
        row = QHBoxLayout(chosen)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self._how, self._layer_words, self._layer, self._head_words, self._head):
            row.addWidget(widget)
        self._row = WrapRow(last_at_end=True)
        self._row.add(chosen)
        self._row.add(self._shape)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 8, 16, 4)
        whole.addWidget(self._row)

    def set_model(self, n_layers: int, n_heads: int) -> None:
        """Offer so many layers and heads; 0 heads = not known yet."""
        self.n_heads = n_heads
        for combo, count in ((self._layer, n_layers), (self._head, n_heads)):
            if combo.count() != count:
                combo.clear()
                combo.addItems([str(n + 1) for n in range(count)])
        self._show()

    def begin_model(self, n_layers: int) -> Choice:
        """Return what is shown of another model: it has no such head, and maybe no such layer."""
        how, layer = self._choice.how, self._choice.layer
        self._choice = Choice("mean" if how == "one" else how, max(0, min(layer, n_layers - 1)))
        self.set_model(n_layers, 0)
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Take a choice made elsewhere."""
        self._choice = choice
        self._show()
        self.changed.emit(choice)

    def open_shape(self, shape: Shape) -> None:
        """Show another shape."""
        self._shape.set_value(shape)
        self.shape_chosen.emit(shape)

    def _show(self) -> None:
        choice = self._choice
        self._how.setCurrentIndex(self._how.findData(choice.how))
        self._layer.setCurrentIndex(min(choice.layer, self._layer.count() - 1))
        self._head.setCurrentIndex(min(choice.head, self._head.count() - 1))
        for widget in (self._layer, self._layer_words):
            widget.setVisible(choice.how != "rollout")
        for widget in (self._head, self._head_words):
            widget.setVisible(choice.how == "one")
        self._row.arrange()

    def _on_how(self, how: How) -> None:
        self.choose(Choice(how, self._choice.layer, self._choice.head))

    def _on_place(self) -> None:
        layer, head = self._layer.currentIndex(), max(0, self._head.currentIndex())
        self.choose(Choice(self._choice.how, layer, head))


class MapLegend(QWidget):
    """Above the heat map: its colours, and how much of the text it shows.

    Signals:
        zoom_asked: Part of what is shown that is wanted, below 1 = larger; 0 = the whole text.
    """

    zoom_asked = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        words = self.tr("Colours from 0 to 1, on a root scale")
        row.addWidget(ColourScale(theme, "0", self.tr("1, root scale"), words))
        row.addStretch(1)
        for icon, words, name, by in (
            ("plus", self.tr("Show fewer tokens, larger (+)"), "attention_closer", 0.5),
            ("minus", self.tr("Show more tokens (-)"), "attention_wider", 2.0),
            ("square", self.tr("Show the whole text"), "attention_whole", 0.0),
        ):
            button = IconButton(icon, words, theme, name=name, size=26)
            button.clicked.connect(lambda _=False, share=by: self.zoom_asked.emit(share))
            row.addWidget(button)


class LinesLegend(QWidget):
    """Above the lines: from which share on they are drawn.

    Signals:
        threshold_moved: That share.
    """

    threshold_moved = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        slider = Slider(self.tr("Lines from"), theme, name="attention_threshold")
        slider.setRange(1, 50)
        slider.setValue(5)
        slider.setFixedWidth(160)
        self._words = label("", theme, "small", "text2", name="attention_threshold_words")
        slider.valueChanged.connect(self._on_moved)
        self._on_moved(slider.value())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(slider)
        row.addWidget(self._words)
        row.addStretch(1)

    def _on_moved(self, value: int) -> None:
        self._words.setText(self.tr("lines from {0} on").format(formatting.percent(value / 100)))
        self.threshold_moved.emit(value / 100)
