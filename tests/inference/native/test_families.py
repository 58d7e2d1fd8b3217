"""What each family makes of its config.json; that it computes what it reads is test_networks'."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError
from inference.native.config import NetworkConfig
from inference.native.registry import FAMILIES
from inference.native.scaling import (
    DynamicScaling,
    LinearScaling,
    LongRopeScaling,
    YarnScaling,
    must_read_anew,
    prefix_may_stay,
)

SHAPE: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
}
LONGROPE = {"type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2, 2, 3, 4]}


def read(model_type: str, **changes: Any) -> NetworkConfig:
    return NetworkConfig.from_dict(SHAPE | {"model_type": model_type} | changes)


def test_families_are_told_without_torch() -> None:
    code = (
        "import sys; from inference.native.config import NetworkConfig as C\n"
        "try: C.from_dict({'model_type': 'gemma2'})\n"
        "except Exception as error: print(type(error).__name__, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["CorruptCheckpointError", "False"]


def test_no_two_families_answer_to_one_name() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert len({family.architecture for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("family", [f.name for f in FAMILIES if f.name != "gpt2"])
def test_a_written_config_reads_back_the_same(family: str) -> None:
    config = read(family)
    assert config.family == family
    assert NetworkConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "linear", "factor": 2.0},
        {"rope_type": "dynamic", "factor": 2.0},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 100},
        LONGROPE | {"original_max_position_embeddings": 128},
    ],
)
def test_a_written_scaling_reads_back_the_same(rope: dict[str, Any]) -> None:
    config = read("llama", rope_scaling=rope)
    assert config.rope_scaling is not None
    assert NetworkConfig.from_dict(config.to_dict()) == config


def test_a_stretched_context_is_as_long_as_its_scaling_reaches() -> None:
    dynamic = read("llama", rope_scaling={"rope_type": "dynamic", "factor": 2.0})
    yarn = read("qwen2", rope_scaling={"type": "yarn", "factor": 4.0})
    linear = read("llama", rope_scaling={"type": "linear", "factor": 4.0})
    assert dynamic.rope_scaling == DynamicScaling(2.0, 512)
    assert isinstance(yarn.rope_scaling, YarnScaling)
    assert yarn.rope_scaling.original_context == 512
    assert linear.rope_scaling == LinearScaling(4.0)
    assert (dynamic.context, yarn.context, linear.context) == (1024, 2048, 512)


def test_windows_stand_where_each_family_has_them() -> None:
    assert read("mistral").windows == (4096,) * 8
    assert read("mistral", sliding_window=None).windows == ()
    assert read("qwen2", sliding_window=64).windows == ()
    upper = read("qwen3", sliding_window=64, use_sliding_window=True, max_window_layers=6)
    assert upper.windows == (None,) * 6 + (64, 64)
    assert read("phi3").windows == ()
    assert read("phi3", sliding_window=64).windows == (64,) * 8
    assert read("gemma2", sliding_window=64).windows == (64, None) * 4
    assert read("gemma3_text", sliding_window=64).windows == (64,) * 5 + (None, 64, 64)
    named = ["full_attention", "sliding_attention"] * 4
    assert read("gemma2", sliding_window=64, layer_types=named).windows == (None, 64) * 4


def test_layers_without_positions_are_those_marked_or_every_fourth() -> None:
    assert read("smollm3").unrotated == (3, 7)
    assert read("smollm3", no_rope_layers=[1, 1, 0, 1, 1, 1, 1, 0]).unrotated == (2, 7)


def test_gemma_defaults_are_those_of_the_family() -> None:
    older, newer = read("gemma2"), read("gemma3_text")
    assert (older.attention_cap, older.logit_cap) == (50.0, 30.0)
    assert (newer.attention_cap, newer.logit_cap) == (None, None)
    assert (newer.rope_theta, newer.local_theta) == (1e6, 1e4)
    assert older.embedding_scale == 32**0.5
    assert read("gemma2", attn_logit_softcapping=None).attention_cap is None


def test_phi3_takes_its_original_context_from_beside_the_scaling() -> None:
    config = read("phi3", rope_scaling=LONGROPE, original_max_position_embeddings=128)
    scaling = config.rope_scaling
    assert isinstance(scaling, LongRopeScaling)
    assert scaling.original_context == 128
    assert scaling.attention_factor == pytest.approx((1 + 2 / 7) ** 0.5)  # 512 / 128 = 4


@pytest.mark.parametrize(
    ("model_type", "changes", "said"),
    [
        ("gpt_neox", {"hidden_act": "relu"}, "exact GELU"),
        ("qwen2", {"hidden_act": "gelu"}, "SiLU"),
        ("phi3", {"rope_scaling": {"type": "yarn", "factor": 2.0}}, "Phi-3"),
        ("gemma2", {"hidden_activation": "gelu"}, "tanh form"),
        ("gemma3_text", {"use_bidirectional_attention": True}, "after them"),
        ("gemma3_text", {"attn_logit_softcapping": 50.0}, "capped"),
        (
            "gemma3_text",
            {"rope_parameters": {"sliding_attention": {"rope_type": "linear", "factor": 2.0}}},
            "windowed layers",
        ),
    ],
)
def test_a_variant_that_would_be_computed_wrongly_is_refused(
    model_type: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnsupportedArchitectureError) as caught:
        read(model_type, **changes)
    assert said in caught.value.message
    assert "GGUF" in caught.value.hint


@pytest.mark.parametrize(
    ("model_type", "changes", "said"),
    [
        ("mistral", {"sliding_window": 0}, "sliding_window"),
        ("gemma2", {"layer_types": ["full_attention"]}, "8 layers"),
        ("gemma2", {"layer_types": ["round_attention"] * 8}, "layer_types"),
        ("qwen2", {"use_sliding_window": True, "max_window_layers": "x"}, "max_window_layers"),
        ("smollm3", {"no_rope_layers": [1]}, "8 layers"),
        ("smollm3", {"no_rope_layers": [2] * 8}, "0 and 1"),
        ("llama", {"partial_rotary_factor": 1.5}, "12 of 8"),
        ("llama", {"rope_scaling": LONGROPE | {"long_factor": [1.0]}}, "1 rotary factors"),
        ("llama", {"rope_scaling": LONGROPE | {"long_factor": "x"}}, "long_factor"),
        ("llama", {"rope_scaling": {"type": "dynamic", "factor": 2.0}, "head_dim": 2}, "too few"),
        ("llama", {"rope_scaling": {"type": "yarn", "factor": 2.0}, "rope_theta": 1}, "base"),
        ("llama", {"rope_scaling": {"type": "linear"}}, "factor"),
        ("granite", {"residual_multiplier": 0}, "residual_multiplier"),
    ],
)
def test_a_value_that_cannot_be_true_is_named(
    model_type: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CorruptCheckpointError) as caught:
        read(model_type, **changes)
    assert said in caught.value.message


def test_kept_prefixes_depend_on_the_scaling() -> None:
    dynamic = DynamicScaling(2.0, 100)
    longrope = LongRopeScaling((1.0,), (2.0,), 100, 1.0)
    assert prefix_may_stay(None, 50, 150)
    assert prefix_may_stay(dynamic, 50, 100)
    assert not prefix_may_stay(dynamic, 150, 150)  # its keys were turned one by one
    assert not prefix_may_stay(longrope, 100, 101)
    assert prefix_may_stay(longrope, 101, 200)
    assert must_read_anew(longrope, 100, 101)
    assert not must_read_anew(dynamic, 100, 101)
