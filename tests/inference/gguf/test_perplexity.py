"""Perplexity by llama.cpp's method is what llama.cpp's own C API gives by it."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from inference.cancel import CancelToken
from inference.gguf.engine import open_engine
from inference.inside.perplexity import Reading, Score, measure
from inference.types import LoadOptions
from tests.helpers.assets import REPO, asset
from tests.helpers.llama_perplexity import llama_perplexity

STARTER = Path(str(importlib.resources.files("resources") / "starter"))


def ours(path: Path, text: str, window: int) -> Score:
    """Read a text with our engine as a person would load it."""
    options = LoadOptions(str(path), "gguf", n_ctx=window)
    engine = open_engine(options, lambda _: None, CancelToken())
    try:
        adds_bos = engine.loaded.adds_bos
        ids = [piece.id for piece in engine.tokenize(text, add_bos=adds_bos)]
        reading = Reading(ids, window, has_bos=adds_bos, method="llama.cpp")
        return measure(reading, lambda question: engine.inspect(question, CancelToken()))
    finally:
        engine.close()


def agrees(path: Path, text: str, window: int) -> None:
    score, theirs = ours(path, text, window), llama_perplexity(path, text, window)
    assert len(score.logprobs) == theirs.tokens > 4_000
    assert score.n_windows == theirs.chunks
    assert score.scored == theirs.chunks * (window - window // 2 - 1)
    assert score.perplexity == pytest.approx(theirs.perplexity, rel=0.01)


@pytest.mark.parametrize("name", ["starter-instruct-Q8_0.gguf", "starter-base-F16.gguf"])
@pytest.mark.parametrize("window", [512, 64])
def test_the_starter_models_give_llama_cpp_s_own_perplexity(name: str, window: int) -> None:
    pages = ("CONTRIBUTING.md", "README.md")
    text = "\n".join((REPO / page).read_text(encoding="utf-8") for page in pages)
    agrees(STARTER / name, text, window)


def test_a_trained_model_gives_llama_cpp_s_own_perplexity_of_a_book() -> None:
    book = (asset("corpus") / "aesop.txt").read_text(encoding="utf-8")
    agrees(asset("stories260K") / "stories260K.gguf", book[:16_000], 512)
