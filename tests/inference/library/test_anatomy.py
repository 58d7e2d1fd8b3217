"""What a token takes in the cache is told for the cache that the engine really keeps."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from inference.cancel import CancelToken
from inference.gguf.engine import open_engine
from inference.library.anatomy import anatomy, kv_bytes_per_token
from inference.library.describe import describe
from inference.types import LoadOptions

STARTER = Path(str(importlib.resources.files("resources"))) / "starter" / "starter-base-Q8_0.gguf"


@pytest.mark.parametrize(("kept_as", "each"), [("f16", 2), ("f32", 4), ("q8_0", 34 / 32)])
def test_a_token_takes_what_its_numbers_take_as_they_are_kept(kept_as: str, each: float) -> None:
    options = LoadOptions(str(STARTER), "gguf", n_ctx=256, kv_cache_type=kept_as)
    engine = open_engine(options, lambda _: None, CancelToken())
    try:
        parts = anatomy(describe(STARTER))
        # 4 layers, 2 key-value heads of 64, a key and a value
        assert kv_bytes_per_token(parts, engine.loaded) == 4 * 2 * 64 * 2 * each
        assert engine.loaded.kv_cache_bytes >= kv_bytes_per_token(parts, engine.loaded) * 256
    finally:
        engine.close()
