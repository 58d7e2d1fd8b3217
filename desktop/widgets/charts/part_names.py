"""The parts of a network that add to the stream, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from inference.inside.pushes import PartKind


def part_words(kind: PartKind, layer: int = -1) -> str:
    """Return the name of a part, and of its layer (from 0) where it is given."""
    words = {
        "embedding": _tr("the token's embedding"),
        "attention": _tr("attention"),
        "forward": _tr("feed-forward part"),
        "rest": _tr("biases and rounding"),
    }[kind]
    return words if layer < 0 else _tr("{0} of layer {1}").format(words, layer + 1)


def layer_words(layer: int) -> str:
    """Return the name of a layer, from 0."""
    return _tr("layer {0}").format(layer + 1)


def _tr(text: str) -> str:
    return QCoreApplication.translate("PartNames", text)
