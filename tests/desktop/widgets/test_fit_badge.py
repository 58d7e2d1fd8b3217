"""How a fit is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop.widgets.fit_badge import fit_look, fit_width
from inference.library.fit import Fit

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme


@pytest.mark.parametrize(
    ("fit", "words", "tone"),
    [
        (Fit("gpu"), "Fits on the GPU", "ok"),
        (Fit("partly", layers=32, gpu_layers=23), "23 of 32 layers on the GPU", "info"),
        (Fit("partly", layers=31, gpu_layers=9, rough=True), "Partly on the GPU", "info"),
        (Fit("processor", tokens_per_s=6.2), "Processor, about 6 tokens/s", "text2"),
        (Fit("processor", tokens_per_s=1.24), "Processor, about 1.2 tokens/s", "text2"),
        (Fit("processor", tokens_per_s=400), "Processor, over 100 tokens/s", "text2"),
        (Fit("processor"), "Runs on the processor", "text2"),
        (Fit("too_large", over_bytes=5_600_000_000), "Too large by 5.6 GB", "bad"),
        (Fit("unknown"), "Size not known yet", "text3"),
        (Fit("waiting"), "Looking at this computer …", "text3"),
    ],
)
def test_a_fit_is_said_in_words_with_an_icon(fit: Fit, words: str, tone: str) -> None:
    look = fit_look(fit)
    assert look.words.replace("\u00a0", " ") == words
    assert look.tone == tone
    assert look.icon_name


def test_nothing_is_said_before_the_computer_was_looked_at() -> None:
    assert fit_look(None).words == ""


def test_where_there_is_little_room_the_short_words_do(theme: Theme) -> None:
    look = fit_look(Fit("processor", tokens_per_s=6.2))
    wide = fit_width(look, theme, 1_000)
    assert fit_width(look, theme, wide - 1) < wide
