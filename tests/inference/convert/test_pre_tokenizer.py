from __future__ import annotations

import json
from typing import Any

import pytest

from inference.convert.pre_tokenizer import pre_tokenizer_name
from tests.helpers.assets import asset

_ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_CUTS = _ENDINGS + (
    r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_BYTES: dict[str, Any] = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}


def _described(*steps: dict[str, Any], whole: bool = False, normalizer: Any = None) -> Any:
    return {
        "model": {"type": "BPE", "ignore_merges": whole},
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)},
    }


def _split(pattern: str, behavior: str = "Isolated") -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior}


@pytest.mark.parametrize(
    ("folder", "name"), [("gpt2", "gpt-2"), ("qwen3", "qwen2"), ("falcon", "falcon")]
)
def test_published_tokenizers_have_their_name(folder: str, name: str) -> None:
    path = asset("tokenizers") / folder / "tokenizer.json"
    assert pre_tokenizer_name(json.loads(path.read_text(encoding="utf-8"))) == name


def test_whole_words_that_win_make_another_name() -> None:
    assert pre_tokenizer_name(_described(_split(_CUTS), _BYTES, whole=True)) == "llama-bpe"
    assert pre_tokenizer_name(_described(_split(_CUTS), _BYTES)) == "dbrx"


def test_the_same_rule_spelt_out_has_the_same_name() -> None:
    spelt = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
    described = _described(_split(_CUTS.replace(_ENDINGS, spelt)), _BYTES)
    assert pre_tokenizer_name(described) == "dbrx"


@pytest.mark.parametrize(
    "described",
    [
        _described(_split(_CUTS + "|x"), _BYTES),
        _described(_split(_CUTS, "Removed"), _BYTES),
        _described({"type": "ByteLevel", "add_prefix_space": True}),
        _described({"type": "Whitespace"}, _BYTES),
        _described(_split(_CUTS), _BYTES, normalizer={"type": "Lowercase"}),
        {"model": {"type": "BPE"}, "pre_tokenizer": None},
    ],
)
def test_another_rule_has_none(described: dict[str, Any]) -> None:
    assert pre_tokenizer_name(described) is None
