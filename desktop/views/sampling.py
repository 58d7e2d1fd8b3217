"""The numbers that decide how a model draws its words, and the sentence each is explained with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from desktop.values import COMPLETION_TOKENS
from desktop.widgets import formatting
from desktop.widgets.value_row import ValueSpec

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS: Final = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Sampling", text)


def value_specs() -> tuple[ValueSpec, ...]:
    """Return the numbers of the side panel in the order of ``FIELDS``."""
    return (
        _spec("temperature", _tr("Temperature"), ((0, 5), (0, 2)), 0.01, _temperature_help),
        _spec("top_k", _tr("Top-k"), ((0, 100_000), (0, 150)), 1, _top_k_help),
        _spec("top_p", _tr("Top-p"), ((0, 1), (0, 1)), 0.01, _top_p_help),
        _spec("min_p", _tr("Min-p"), ((0, 1), (0, 0.5)), 0.01, _min_p_help),
        _spec("repeat_penalty", _tr("Repeat penalty"), ((0.01, 10), (1, 1.5)), 0.01, _repeat_help),
    )


def _spec(
    field: str,
    title: str,
    ranges: tuple[tuple[float, float], tuple[float, float]],
    step: float,
    help_words: Callable[[float], str],
) -> ValueSpec:
    box, slider = ranges
    digits = 0 if step >= 1 else 2
    return ValueSpec(f"sampling_{field}", title, *box, *slider, step, digits, help_words)


def _temperature_help(value: float) -> str:
    if value == 0:
        return _tr("Always takes the likeliest word: the same text gives the same answer.")
    return _tr("Lower keeps to the likeliest words; higher takes more chances.")


def _top_k_help(value: float) -> str:
    if value == 0:
        return _tr("Off: a word may be drawn whatever its rank.")
    if value == 1:
        return _tr("Only the likeliest word may be drawn.")
    return _tr("Only the {0} likeliest words may be drawn.").format(formatting.count(int(value)))


def _top_p_help(value: float) -> str:
    if value >= 1:
        return _tr("Off: the unlikely tail stays in.")
    return _tr("Leaves out the unlikely tail beyond {0}.").format(formatting.percent(value))


def _min_p_help(value: float) -> str:
    if value == 0:
        return _tr("Off: a word may be drawn however unlikely it is.")
    return _tr("Leaves out words below {0} of the likeliest one.").format(formatting.percent(value))


def _repeat_help(value: float) -> str:
    if value == 1:
        return _tr("Off: words that were just used stay as likely as they are.")
    if value < 1:
        return _tr("Makes words that were just used more likely.")
    return _tr("Makes words that were just used less likely.")


def seed_help(seed: int | None) -> str:
    """Return the sentence under the seed."""
    if seed is None:
        return _tr("A new number is drawn for each answer and kept with it.")
    return _tr("Seed {0}: the same seed and settings give the same text.").format(seed)


def length_help(max_tokens: int | None, *, is_base: bool = False) -> str:
    """Return the sentence under the length."""
    if max_tokens is None and is_base:
        return _tr("A base model is stopped after {0} tokens; then it can continue.").format(
            formatting.count(COMPLETION_TOKENS)
        )
    if max_tokens is None:
        return _tr("An answer may go on until the context is full.")
    return _tr("An answer ends after {0} tokens at the latest.").format(
        formatting.count(max_tokens)
    )


def guess_help(*, on: bool) -> str:
    """Return the sentence under guessing ahead."""
    if on:
        return _tr(
            "Words that came before are guessed to come again. What an answer may be stays the "
            "same; texts that repeat something are written sooner."
        )
    return _tr("Off: each word is computed by itself.")


def stop_help(stop: tuple[str, ...]) -> str:
    """Return the sentence under the stop texts."""
    if not stop:
        return _tr("One text a line. The answer ends before the first of them; \\n is a new line.")
    return _tr("The answer ends before the first of these {0} texts; \\n is a new line.").format(
        formatting.count(len(stop))
    )


def stops_from_lines(text: str) -> tuple[str, ...]:
    r"""Read one stop text a line; ``\\n`` and ``\\t`` written out mean the characters."""
    return tuple(
        line.replace("\\n", "\n").replace("\\t", "\t") for line in text.split("\n") if line
    )


def lines_from_stops(stop: tuple[str, ...]) -> str:
    """Write stop texts as ``stops_from_lines`` reads them."""
    return "\n".join(text.replace("\n", "\\n").replace("\t", "\\t") for text in stop)
