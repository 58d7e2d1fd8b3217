"""How numbers and tokens are written for people."""

from __future__ import annotations

import pytest

from inference.cli import console


@pytest.mark.parametrize(
    ("perplexity", "text"),
    [(12.34567, "12.346"), (224_291.697, "224,291.697"), (1.615685e18, "1.616e+18")],
)
def test_a_perplexity_has_no_digits_that_mean_nothing(perplexity: float, text: str) -> None:
    assert console.perplexity_text(perplexity) == text


def test_a_row_of_the_output_that_the_tokenizer_has_no_text_for_is_named_by_its_id() -> None:
    assert console.token_text(128_001, "") == "id 128001"
    assert console.token_text(7, " a\n") == '" a\\n"'
