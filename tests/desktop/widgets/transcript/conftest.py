"""What the tests of messages share: the theme with its fonts, and messages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from desktop.values import MessageView

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

    from desktop.widgets.theme import Theme

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """Return the light theme, its fonts loaded."""
    from desktop.widgets import fonts
    from desktop.widgets.theme import Theme

    del qapp
    assert fonts.load_start_faces()
    return Theme.load("light")


@pytest.fixture
def view() -> Callable[..., MessageView]:
    """Return a maker of messages."""

    def make(name: str, text: str = "", **more: object) -> MessageView:
        role = "user" if name.startswith("u") else "assistant"
        return MessageView(name, "chat", role, text, model_name="Model", **more)  # type: ignore[arg-type]

    return make
