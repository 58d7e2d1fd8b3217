"""The benchmarks' made-up checkpoint is one that the engine runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
_FOLDER = str(REPO / "packaging" / "benchmarks")
sys.path.insert(0, _FOLDER)

import make_checkpoint  # noqa: E402  # lies beside scripts, not in a package

sys.path.remove(_FOLDER)

_MINI = make_checkpoint.Shape(
    layers=2, hidden=256, heads=4, kv_heads=2, ffn=512, vocabulary=2048, context=512
)


@pytest.mark.parametrize("size", [2048, 32_000, 128_256])
def test_the_vocabulary_has_its_size_and_no_token_twice(size: int) -> None:
    tokens, merges, specials = make_checkpoint.vocabulary(size)
    assert len(tokens) == len(set(tokens)) == size
    assert len(tokens) == 256 + len(merges) + len(specials)
    known = set(tokens)
    assert all(part in known for merge in merges for part in merge.split(" "))


def test_the_one_billion_shape_has_the_parameters_of_its_name() -> None:
    shape = make_checkpoint.SHAPES["1b"]
    total = 0
    for _name, size in shape.tensors():
        count = 1
        for dimension in size:
            count *= dimension
        total += count
    assert total == pytest.approx(1.236e9, rel=0.001)


def test_a_checkpoint_is_made_once_quantised_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.cancel import CancelToken
    from inference.events import TokenEvent
    from inference.gguf.engine import open_engine
    from inference.types import GenerationRequest, LoadOptions, SamplingParams

    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    monkeypatch.setitem(make_checkpoint.SHAPES, "mini", _MINI)
    path = make_checkpoint.checkpoint("mini")
    made_at = path.stat().st_mtime_ns
    assert make_checkpoint.checkpoint("mini") == path
    assert path.stat().st_mtime_ns == made_at
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    options = LoadOptions(path=str(path), engine="gguf", threads=1)
    engine = open_engine(options, lambda *_: None, CancelToken())
    try:
        assert engine.loaded.dtype == "Q4_K_M"
        request = GenerationRequest("r", text="abc", sampling=SamplingParams(max_tokens=4, seed=1))
        events = list(engine.generate(request, CancelToken()))
        assert any(isinstance(event, TokenEvent) for event in events)
    finally:
        engine.close()
