"""What this app is made of: versions and licences, read from what is installed."""

from __future__ import annotations

import platform
from importlib import metadata
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from desktop.views.settings_rows import SettingsCard, SettingsRow
from desktop.widgets.controls import Button

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_PARTS: Final = (
    ("PySide6-Essentials", "LGPL-3.0"),
    ("torch", "BSD-3-Clause"),
    ("llama-cpp-python", "MIT"),
    ("tokenizers", "Apache-2.0"),
    ("safetensors", "Apache-2.0"),
    ("huggingface-hub", "Apache-2.0"),
    ("py3langid", "BSD-3-Clause"),
)


def about_cards(theme: Theme) -> list[QWidget]:
    """Return the cards of the About category."""
    copy = Button(_tr("Copy"), theme, name="about_copy", icon_name="copy", small=True)
    copy.setAccessibleName(_tr("Copy the versions"))
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(versions_text()))
    app_words = _tr("Runs language models on this computer, offline.")
    first = SettingsRow(
        f"Glasshouse {version('glasshouse')}", app_words, copy, theme, name="about_app"
    )
    rows: list[QWidget] = [first]
    system = f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()}"
    rows.append(SettingsRow(_tr("Running on"), system, None, theme, name="about_system"))
    parts: list[QWidget] = [
        SettingsRow(f"{name} {version(name)}", licence, None, theme, name=f"about_{name}")
        for name, licence in _PARTS
    ]
    return [
        SettingsCard(_tr("This app"), rows, theme),
        SettingsCard(_tr("Made with"), parts, theme),
        SettingsCard(_tr("Licences"), [_licence_text(theme)], theme),
    ]


def versions_text() -> str:
    """Return every version as lines of text."""
    names = ("glasshouse", *(name for name, _licence in _PARTS))
    lines = [f"{name} {version(name)}" for name in names]
    lines.append(f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}")
    return "\n".join(lines)


def version(name: str) -> str:
    """Return the version of an installed package, or that it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return _tr("(not installed)")


def _licence_text(theme: Theme) -> QPlainTextEdit:
    entries = sorted(files("resources").joinpath("licences").iterdir(), key=lambda e: e.name)
    texts = [f"{entry.name}\n\n{entry.read_text('utf-8').strip()}" for entry in entries]
    field = QPlainTextEdit("\n\n\n".join(texts))
    field.setObjectName("about_licences")
    field.setAccessibleName(_tr("Licences of fonts and icons"))
    field.setReadOnly(True)
    field.setTabChangesFocus(True)
    field.setFont(theme.font("code_small"))
    field.setFixedHeight(260)
    field.setFrameShape(QPlainTextEdit.Shape.NoFrame)
    return field


def _tr(text: str) -> str:
    return QCoreApplication.translate("About", text)
