"""From the settings to the look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.widgets.theme_manager import Appearance

if TYPE_CHECKING:
    from desktop.store.settings import Settings


def appearance(settings: Settings) -> Appearance:
    """Return what the settings say about the look."""
    return Appearance(
        choice=settings.theme,
        reading_px=settings.font_size,
        narrow_measure=settings.measure == 560,
        reduced_motion=settings.motion == "reduced",
    )
