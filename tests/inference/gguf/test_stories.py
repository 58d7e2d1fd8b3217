"""A really trained model and real vocabularies against published results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from inference.gguf.library import api, start
from inference.gguf.vocabulary import Vocabulary
from tests.helpers.assets import asset
from tests.inference.gguf.answers import ask

if TYPE_CHECKING:
    from tests.inference.gguf.conftest import OpenGguf

_VOCABULARIES = ["gpt-2", "deepseek-coder", "llama-spm"]


@pytest.mark.parametrize("top_n", [0, 5])
def test_greedy_ids_equal_the_published_ones_to_the_last(open_gguf: OpenGguf, top_n: int) -> None:
    engine = open_gguf(asset("stories260K/stories260K.gguf"))
    stories = json.loads(asset("stories260K/expected_stories.json").read_text(encoding="utf-8"))
    cases = [c for c in stories["cases"] if c["temperature"] == 0.0 and c.get("token_ids")]
    assert cases
    for case in cases:
        answer = ask(engine, text=case["prompt"], max_tokens=case["steps"], top_n=top_n)
        assert [1, *answer.ids] == case["token_ids"]
        assert answer.text == case["expected"]
        answer.check_grammar()


def test_a_sampled_run_repeats_with_its_reported_seed(open_gguf: OpenGguf) -> None:
    engine = open_gguf(asset("stories260K/stories260K.gguf"))
    first = ask(engine, text="Once upon a time", temperature=1.0, max_tokens=40)
    again = ask(
        engine, text="Once upon a time", temperature=1.0, max_tokens=40, seed=first.started.seed
    )
    other = ask(
        engine, text="Once upon a time", temperature=1.0, max_tokens=40, seed=first.started.seed + 1
    )
    assert again.ids == first.ids
    assert other.ids != first.ids


@pytest.mark.parametrize("name", _VOCABULARIES)
def test_real_vocabularies_split_texts_as_published(name: str) -> None:
    path = asset(f"gguf-vocab/ggml-vocab-{name}.gguf")
    start()
    params = api.llama_model_default_params()
    params.vocab_only = True
    model = api.llama_model_load_from_file(str(path).encode(), params)
    assert model
    try:
        vocabulary = Vocabulary(model, {})
        texts = path.with_name(path.name + ".inp").read_bytes().decode("utf-8")
        expected = path.with_name(path.name + ".out").read_text(encoding="utf-8").split("\n")
        samples = texts.split("\n__ggml_vocab_test__\n")
        assert len(samples) > 40
        for text, ids in zip(samples, expected, strict=False):
            assert vocabulary.tokenize(text) == [int(token) for token in ids.split()], text
    finally:
        api.llama_model_free(model)
