"""Numbers from 0 to 1 as colours of the theme's sequential map, on a root scale.

And signed ones as steps of its diverging map.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtGui import QColor, QImage

if TYPE_CHECKING:
    import numpy.typing as npt

    from desktop.widgets.theme import Theme

    Numbers = npt.NDArray[np.float32]

_STEPS: Final = 256
_LUMINANCE: Final = (0.2126, 0.7152, 0.0722)  # WCAG 2.2, relative luminance
_WHITE_BELOW: Final = 0.179  # where black and white contrast equally


def colour_of(theme: Theme, share: float) -> QColor:
    """Return the colour of one number."""
    table = _table(tuple(stop.rgb() for stop in theme.sequential))
    return QColor.fromRgb(int(table[round(min(1.0, max(0.0, share)) ** 0.5 * (_STEPS - 1))]))


def signed_colour(theme: Theme, share: float) -> QColor:
    """Return the colour of a number from -1 to 1; any but 0 differs from the middle."""
    stops = theme.diverging
    middle = len(stops) // 2
    steps = min(middle, math.ceil(abs(share) * middle))
    return stops[middle + (steps if share > 0 else -steps)]


def ink_on(ground: QColor, theme: Theme) -> QColor:
    """Return black or white for words on a ground, whichever contrasts more: 4.58 or better."""
    black, white = theme.inks
    channels = (ground.redF(), ground.greenF(), ground.blueF())
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in channels]
    luminance = sum(weight * x for weight, x in zip(_LUMINANCE, linear, strict=True))
    return white if luminance < _WHITE_BELOW else black


def image_of(theme: Theme, numbers: Numbers, seen: npt.NDArray[np.bool_] | None = None) -> QImage:
    """Return a picture of a matrix, one pixel a cell; what is not ``seen`` is transparent."""
    table = _table(tuple(stop.rgb() for stop in theme.sequential))
    shares = np.clip(numbers, 0, 1)
    np.sqrt(shares, out=shares)
    shares *= _STEPS - 1
    shares += 0.5
    pixels = table[shares.astype(np.uint8)]  # (rows, columns)
    if seen is not None:
        pixels[~seen] = 0
    rows, columns = pixels.shape
    picture = QImage(
        pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied
    )
    return picture.copy()


@lru_cache(maxsize=8)
def _table(stops: tuple[int, ...]) -> npt.NDArray[np.uint32]:
    """Return 256 colours between the stops."""
    parts = np.array([[(rgb >> shift) & 255 for shift in (16, 8, 0)] for rgb in stops], float)
    at = np.linspace(0, len(stops) - 1, _STEPS)
    channels = [np.interp(at, np.arange(len(stops)), parts[:, n]).round() for n in range(3)]
    red, green, blue = (channel.astype(np.uint32) for channel in channels)
    table: npt.NDArray[np.uint32] = np.uint32(0xFF000000) | red << 16 | green << 8 | blue
    return table.astype(np.uint32)
