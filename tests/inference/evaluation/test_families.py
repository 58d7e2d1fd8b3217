"""Versions of the same weights are found, compared part by part, and one of them is named."""

from __future__ import annotations

import math

import pytest

from inference.evaluation.families import (
    against,
    beside_the_largest,
    best_readers,
    choices,
    families,
    family_of,
)
from tests.inference.evaluation.house import PARTS, info, result

MORE = tuple(
    part + extra
    for part, extra in zip(PARTS, (1.1, 0.9, 1.0, 1.2, 0.8, 1.0, 1.1, 0.9), strict=True)
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (info("Tiny Llama", "Q8_0"), info("Tiny Llama", "Q4_K_M"), True),
        (info("tiny-llama-Q8_0", "Q8_0"), info("tiny-llama-Q4_K_M", "Q4_K_M"), True),
        (info("tiny-llama.Q4_0.gguf", "Q4_0"), info("Tiny Llama", "F16"), True),
        (info("Tiny Llama", "Q8_0"), info("Tiny Llama", "Q8_0", kind="base"), False),
        (info("Tiny Llama", "Q8_0"), info("Tiny Llama", "Q8_0", n_layers=8), False),
        (info("Tiny Llama 1", "Q8_0"), info("Tiny Llama 2", "Q8_0"), False),
        (info("Qwen3-0.6B", "Q8_0"), info("Qwen3-6B", "Q8_0"), False),
    ],
)
def test_a_family_is_a_name_without_its_version_and_a_shape(
    one: object, other: object, same: bool
) -> None:
    assert (family_of(one) == family_of(other)) is same  # type: ignore[arg-type]  see above


def test_a_version_is_held_against_the_largest_of_its_family() -> None:
    large = result("Tiny", "F16", memory=2_000)
    small = result("Tiny", "Q4_K_M", parts=MORE, memory=1_200)
    other = result("Else", "Q8_0")
    found = beside_the_largest([small, other, large])
    assert list(found) == [small.info.id]
    compared = found[small.info.id]
    assert compared.reference is large
    assert compared.cost == pytest.approx(math.exp(8 / 800) - 1)
    assert (1 + compared.cost) * large.perplexity == pytest.approx(small.perplexity)
    assert (compared.memory, compared.speed) == (0.6, 1)
    assert compared.is_clear  # every part costs about as much


def test_a_difference_that_comes_and_goes_is_not_clear() -> None:
    swaying = tuple(part + (9 if n % 2 else -8) for n, part in enumerate(PARTS))
    compared = against(result("Tiny", "Q4_0", parts=swaying), result("Tiny", "F16"))
    assert compared.cost > 0
    assert not compared.is_clear
    one = result("Tiny", "Q4_0", parts=(5.0,), scored=3)
    assert not against(one, result("Tiny", "F16", parts=(4.0,), scored=3)).is_clear


def test_results_on_other_texts_or_tokens_are_not_of_one_family() -> None:
    whole = result("Tiny", "F16")
    assert len(families([whole, result("Tiny", "Q8_0", text="another")])) == 2
    assert len(families([whole, result("Tiny", "Q8_0", scored=700)])) == 2
    assert len(families([whole, result("Tiny", "Q8_0")])) == 1


def test_the_choice_is_the_least_memory_for_a_small_cost() -> None:
    dear = tuple(part * 1.05 for part in PARTS)
    large = result("Tiny", "F16", memory=2_000)
    middle = result("Tiny", "Q8_0", memory=1_500)
    small = result("Tiny", "Q4_K_M", parts=MORE, memory=1_200)
    least = result("Tiny", "Q2_K", parts=dear, memory=900)
    (choice,) = choices([least, small, large, middle])
    assert choice.chosen is choice.other is small
    assert choice.reference is large
    (stay,) = choices([large, least])
    assert stay.chosen is stay.reference is large
    assert stay.other is least
    assert choices([large, result("Else", "Q8_0")]) == ()


def test_different_models_are_ordered_by_bits_per_byte() -> None:
    one, two = result("One", "F16"), result("Two", "F16", parts=MORE)
    unknown = result("Three", "F16", scored_bytes=0)
    worse = result("One", "Q4_0", parts=MORE)
    assert best_readers([two, worse, unknown, one]) == (one, two)
