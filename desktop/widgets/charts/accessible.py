"""Tells screen readers that a figure is a chart; to Qt every widget of one's own is an area."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAccessibleWidget

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtGui import QAccessibleInterface


@lru_cache(maxsize=1)
def announce_charts() -> None:
    """Let Qt ask here about every widget a screen reader meets; once for the process."""
    QAccessible.installFactory(_interface_of)


def _interface_of(_class_name: str, widget: QObject | None) -> QAccessibleInterface | None:
    from desktop.widgets.charts.figure import Figure  # noqa: PLC0415  it asks for this module

    if isinstance(widget, Figure):
        return QAccessibleWidget(widget, QAccessible.Role.Chart)
    return None
