"""What llama.cpp would compute otherwise is refused by name, before anything is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from inference.convert.network import facts_of
from inference.convert.tensors import ARCHITECTURES
from inference.convert.write import Labels, convert
from inference.errors import UnsupportedArchitectureError
from inference.library.architectures import WRITING
from inference.native.config import NetworkConfig
from inference.native.registry import FAMILIES
from inference.native.scaling import LongRopeScaling
from tests.helpers.checkpoints import VOCAB_SIZE, tiny_tokenizer
from tests.inference.native.reference import (
    GEMMA3_ROPE,
    ROPES,
    WINDOW,
    random_network,
    scaled,
)

if TYPE_CHECKING:
    from pathlib import Path

_GEMMA: dict[str, Any] = {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": WINDOW}
_REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "uneven yarn": ("Llama", scaled("yarn, as DeepSeek"), "leaves its bounds between two pairs"),
    "yarn of another length": (
        "Llama",
        {"rope_parameters": {"rope_theta": 1e4, "attention_factor": 2.0} | ROPES["yarn"]},
        "lengthens queries otherwise",
    ),
    "pairs": ("Qwen3", {"head_dim": 8} | scaled("llama3"), "positions of qwen3 pair by pair"),
    "biases": ("Qwen3", {"attention_bias": True}, "knows qwen3 without such biases"),
    "heads": ("Qwen2", {"head_dim": 10}, "derives the width of qwen2's heads"),
    "caps": (
        "Gemma2",
        _GEMMA | {"tie_word_embeddings": True, "attn_logit_softcapping": None},
        "always caps the scores of gemma2",
    ),
    "untied": ("Gemma2", _GEMMA, "gemma2's output to be its token embedding"),
    "capped logits": (
        "Gemma3",
        _GEMMA | {"num_hidden_layers": 6, "final_logit_softcapping": 20.0},
        "its logits are capped",
    ),
    "scale": ("Gemma3", _GEMMA | {"query_pre_attn_scalar": 20}, "its attention is scaled"),
    "pattern": (
        "Gemma3",
        _GEMMA | {"sliding_window_pattern": 2, "rope_parameters": GEMMA3_ROPE},
        "every 6th layer of gemma3",
    ),
    "positions": ("SmolLM3", {"no_rope_layer_interval": 2}, "every fourth layer of smollm3"),
}


@pytest.mark.parametrize("variant", _REFUSED)
def test_a_network_that_llama_cpp_computes_otherwise_is_refused(
    variant: str, tmp_path: Path
) -> None:
    family, changes, sentence = _REFUSED[variant]
    folder = tmp_path / "model"
    random_network(folder, family, changes | {"vocab_size": VOCAB_SIZE})
    tiny_tokenizer(folder)
    with pytest.raises(UnsupportedArchitectureError, match=sentence) as caught:
        convert(folder, tmp_path / "m.gguf", "F32", Labels("x"), lambda _done, _total: None)
    assert caught.value.message.startswith("This model cannot become a GGUF file: ")
    assert not (tmp_path / "m.gguf").exists()


def test_every_name_is_one_that_llama_cpp_knows() -> None:
    assert set(ARCHITECTURES) <= {family.name for family in FAMILIES}
    assert set(ARCHITECTURES.values()) <= WRITING


def test_a_family_without_a_name_there_is_refused_by_its_own() -> None:
    shape = NetworkConfig("brandnew", 320, 32, 2, 4, 2, 8, 64, 256)
    with pytest.raises(UnsupportedArchitectureError, match="brandnew has no counterpart"):
        facts_of(shape)


def test_a_window_as_long_as_the_context_changes_nothing() -> None:
    shape = NetworkConfig("mistral", 320, 32, 2, 4, 2, 8, 64, 256)
    assert facts_of(replace(shape, windows=(256, 256))) == facts_of(shape)
    assert facts_of(replace(shape, windows=(255, 255))).context == 255


def test_everything_that_differs_is_said() -> None:
    pairs = (1.0,) * 4
    longrope = LongRopeScaling(pairs, pairs, 64, 1.0)
    shape = NetworkConfig("phi3", 320, 32, 2, 4, 4, 8, 64, 256, rope_scaling=longrope)
    assert ["short texts" in note for note in facts_of(shape).notes] == [True]
    windowed = facts_of(replace(shape, windows=(100, 100)))
    assert windowed.context == 100
    assert ["short texts" in note for note in windowed.notes] == [False, True]
