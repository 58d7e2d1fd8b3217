"""What this computer has free for models, in a header: graphics memory, memory, disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets import formatting
from desktop.widgets.icons import INLINE, paint_icon

if TYPE_CHECKING:
    from desktop.values import Computer
    from desktop.widgets.theme import Theme

_GAP = 6
_BETWEEN = 16


class MachineStrip(QWidget):
    """One line of icons and figures; what does not fit is left out from the left.

    Args:
        theme: Colours.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: tuple[tuple[str, str], ...] = ()
        self.setObjectName("machine_strip")
        self.setAccessibleName(self.tr("Free on this computer"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_computer(self, computer: Computer) -> None:
        """Show what is free now; nothing before it is known."""
        machine, parts = computer.machine, []
        if machine is not None:
            parts += [("gpu", self._gpu_words(gpu.name, gpu.free_bytes, gpu.total_bytes))
                      for gpu in machine.gpus]  # fmt: skip
            amounts = _of(machine.free_bytes, machine.total_bytes)
            parts.append(("memory-stick", self.tr("{0} free").format(amounts)))
        if computer.disk_free_bytes:
            disk = formatting.round_size(computer.disk_free_bytes)
            parts.append(("hard-drive", self.tr("{0} free").format(disk)))
        self._parts = tuple(parts)
        names = {"gpu": "", "memory-stick": self.tr("Memory: "), "hard-drive": self.tr("Disk: ")}
        words = "\n".join(f"{names[icon]}{text}" for icon, text in parts)
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.updateGeometry()
        self.update()

    def _gpu_words(self, name: str, free_bytes: int, total_bytes: int) -> str:
        short = name.partition(": ")[2] or name
        for maker in ("NVIDIA GeForce ", "NVIDIA ", "AMD Radeon "):
            short = short.removeprefix(maker)
        return self.tr("{0}, {1} free").format(short, _of(free_bytes, total_bytes))

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return QSize(sum(map(self._width, self._parts)), 20)

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(0, 20)

    def _width(self, part: tuple[str, str]) -> int:
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        return INLINE + _GAP + metrics.horizontalAdvance(part[1]) + _BETWEEN

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.text2)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        room = self.width()
        for part in reversed(self._parts):
            width = self._width(part)
            if width > room:
                break
            room -= width
            left = self.width() - room - width if mirrored else room
            box = QRect(left + (0 if mirrored else _BETWEEN), 0, width - _BETWEEN, self.height())
            place = QRect(box.right() - INLINE if mirrored else box.left(), 0, INLINE, box.height())
            paint_icon(painter, part[0], theme.text2, place)
            words = box.adjusted(0, 0, -INLINE - _GAP, 0)
            if not mirrored:
                words.translate(INLINE + _GAP, 0)
            align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
            painter.drawText(words.adjusted(0, 0, 2, 0), int(align), part[1])
        painter.end()


def _of(free_bytes: int, total_bytes: int) -> str:
    """Return ``7.1 of 8 GB``: free memory to a tenth, all of it to a whole."""
    free, total = free_bytes / 1e9, total_bytes / 1e9
    digits = 0 if free >= 100 else 1
    free_text, total_text = formatting.decimal(free, digits), formatting.decimal(total, 0)
    words = QCoreApplication.translate("MachineStrip", "{0} of {1}")
    return words.format(free_text, f"{total_text}{formatting.NBSP}GB")
