"""Which model to take, in plain words, from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktop.widgets import formatting
from inference.evaluation.families import best_readers, choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.evaluation.families import Choice
    from inference.evaluation.result import Result


def advice(results: Sequence[Result]) -> tuple[str, ...]:
    """Return a sentence for each family of several versions, and one across families."""
    sentences = [_choice(choice) for choice in choices(results)]
    readers = best_readers(results)
    if len(readers) > 1:
        first, second = readers[:2]
        sentences.append(
            _tr(
                "Of different models, {0} expects this text best: {1} bits per byte; next is {2} "
                "with {3}."
            ).format(
                name_of(first),
                formatting.decimal(first.bits_per_byte, 3),
                name_of(second),
                formatting.decimal(second.bits_per_byte, 3),
            )
        )
    return tuple(sentences)


def name_of(result: Result) -> str:
    """Return a model and its version, as a sentence needs it."""
    info = result.info
    return f"{info.name} {info.quantization}" if info.quantization not in info.name else info.name


def _choice(choice: Choice) -> str:
    compared, other, reference = choice.against, choice.other, choice.reference
    costs = _tr("costs {0} of perplexity").format(formatting.percent(compared.cost))
    if not compared.is_clear:
        costs = _tr("costs nothing that this text could show")
    elif compared.cost < 0:
        costs = _tr("has {0} less perplexity").format(formatting.percent(-compared.cost))
    words = _tr("Take {0}: it {1}, and takes {2} of the memory of {3}.")
    if choice.chosen is reference:
        words = _tr("Stay with {3}: {0} {1}, and takes {2} of its memory.")
    return words.format(
        name_of(other), costs, formatting.percent(round(compared.memory, 2)), name_of(reference)
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("ComparePanel", text)
