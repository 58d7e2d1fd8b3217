"""The bundled typefaces: which file carries which face, loaded only when a face is needed.

Every face costs memory and start time, so the window starts with the three weights of its own
words; the rest is loaded when text first needs it. Knows no theme.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from PySide6.QtGui import QFontDatabase

_START: Final = ("Inter-Regular", "Inter-Medium", "Inter-SemiBold")
_READING: Final = ("Inter-Bold", "Inter-Italic")
_CODE: Final = ("JetBrainsMono-Regular", "JetBrainsMono-Bold", "JetBrainsMono-Italic")


@cache
def _load(face: str) -> bool:
    data = files("resources").joinpath("fonts", f"{face}.ttf").read_bytes()
    return QFontDatabase.addApplicationFontFromData(data) >= 0


def _load_all(faces: tuple[str, ...]) -> bool:
    loaded = [_load(face) for face in faces]  # every face is tried, also after a refusal
    return all(loaded)


def load_start_faces() -> bool:
    """Load what the first paint needs; ``False`` where Qt refuses a face (fall-backs are used)."""
    return _load_all(_START)


def load_reading_faces() -> bool:
    """Load bold and italic of the reading face; call it before showing formatted text."""
    return _load_all(_READING)


def load_code_faces() -> bool:
    """Load the code face; call it before showing code."""
    return _load_all(_CODE)
