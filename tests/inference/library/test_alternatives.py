from __future__ import annotations

import pytest

from inference.library.alternatives import gguf_alternative
from inference.library.catalog import load_catalog


@pytest.mark.parametrize(
    ("name", "family", "original"),
    [
        ("Qwen/Qwen2.5-1.5B-Instruct-GPTQ-Int4", "Qwen2.5 1.5B", "Qwen/Qwen2.5-1.5B-Instruct"),
        ("Qwen3-4B-AWQ", "Qwen3 4B", "Qwen/Qwen3-4B"),
        ("Qwen3-0.6B-FP8", "Qwen3 0.6B", "Qwen/Qwen3-0.6B"),
        ("Qwen3-0.6B-Base-bnb-4bit", "Qwen3 0.6B", "Qwen/Qwen3-0.6B-Base"),
    ],
)
def test_the_catalogue_s_file_of_the_same_weights_is_named(
    name: str, family: str, original: str
) -> None:
    sentence = gguf_alternative(name)
    assert sentence.startswith(f"The catalogue has {family} as GGUF (")
    entries = [e for _, e in load_catalog().entries() if e.weights == original]
    named = [e for e in entries if f"models pull {e.repo} --file {e.wanted}`" in sentence]
    assert [entry.form for entry in named] == ["gguf"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("falcon-mamba-7b", "falcon-mamba-7b"),
        ("Qwen2.5-77B-Instruct-AWQ", "Qwen2.5-77B-Instruct"),
        ("model_w4a16", "model"),
    ],
)
def test_what_the_catalogue_has_not_can_be_searched_for(name: str, words: str) -> None:
    assert f"`glasshouse models search {words} --form gguf`" in gguf_alternative(name)
